"""Real receivers on loopback for tests of what leaves Seine: certificates, rsyslog, an HTTPS sink that misbehaves on purpose."""
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

NUMBER = re.compile(rb"event (\d+)\b")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for_port(port, most_s=20):
    for _ in range(most_s * 20):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("nobody listens on port %d" % port)


def datagrams_dropped(port):
    """What the kernel had no room for at a UDP socket of this machine."""
    with open("/proc/net/udp", encoding="ascii") as fh:
        rows = [line.split() for line in fh.readlines()[1:]]
    return sum(int(row[-1]) for row in rows if int(row[1].rsplit(":", 1)[1], 16) == port)


def first_line(path, start, most_s=20):
    """The first line of a file that another process writes, once it is whole."""
    for _ in range(most_s * 20):
        with open(path, encoding="utf-8", errors="replace") as fh:
            line = fh.readline()
        if line.startswith(start) and line.endswith("\n"):
            return line
        time.sleep(0.05)
    raise RuntimeError("%s: no line that begins with %s" % (path, start))


def wait_until_still(path, most_s=20):
    """Until a file that another process writes grows no more."""
    size = -1
    for _ in range(most_s * 2):
        now = os.path.getsize(path) if os.path.exists(path) else 0
        if now == size:
            return
        size = now
        time.sleep(0.5)


def lines_of(path):
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as fh:
        return sum(1 for _ in fh)


def numbers_in(data):
    """Every `event N` of the driver, with how often it comes."""
    counts = {}
    for match in NUMBER.finditer(data):
        n = int(match.group(1))
        counts[n] = counts.get(n, 0) + 1
    return counts


def numbers_of_file(path):
    if not os.path.exists(path):
        return {}
    counts = {}
    with open(path, "rb") as fh:
        for line in fh:
            match = NUMBER.search(line)
            if match:
                n = int(match.group(1))
                counts[n] = counts.get(n, 0) + 1
    return counts


class Certificates:
    """An authority, a server and a client below it, an expired server, and a stranger's authority."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.authority("ca")
        self.authority("stranger")
        self.issue("server", "ca", san="DNS:localhost,DNS:siem.example.net,IP:127.0.0.1")
        self.issue("client", "ca", san="DNS:sensor")
        self.issue("expired", "ca", san="DNS:localhost,IP:127.0.0.1", days=-1)

    @classmethod
    def made(cls, folder):
        """Those that another process has made."""
        held = cls.__new__(cls)
        held.folder = folder
        return held

    def path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def authority(self, name):
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out",
                      name + ".pem", "-days", "30", "-subj", "/CN=%s" % name)

    def issue(self, name, ca, san, days=30):
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
                      "-subj", "/CN=%s" % name)
        with open(self.path(name + ".ext"), "w", encoding="ascii") as fh:
            fh.write("subjectAltName=%s\n" % san)
        if days > 0:
            self._openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial", "-days", str(days),
                          "-extfile", name + ".ext", "-out", name + ".pem")
            return
        # An expired one: valid for a minute of last year.
        for extra in ("index.txt", "serial"):
            with open(self.path(extra), "w", encoding="ascii") as fh:
                fh.write("" if extra == "index.txt" else "1000\n")
        with open(self.path("ca.cnf"), "w", encoding="ascii") as fh:
            fh.write("[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n"
                     "[any]\ncommonName=supplied\n")
        self._openssl("ca", "-batch", "-config", "ca.cnf", "-cert", ca + ".pem", "-keyfile", ca + ".key", "-in", name + ".csr", "-out", name + ".pem",
                      "-startdate", "20250101000000Z", "-enddate", "20250101000100Z", "-extfile", name + ".ext", "-notext")


class Rsyslog:
    """rsyslogd in the foreground with one input, into one file."""

    def __init__(self, folder, kind, certs=None, port=0):
        self.folder, self.kind, self.port = folder, kind, port or free_port()
        os.makedirs(folder, exist_ok=True)
        self.out = os.path.join(folder, kind + ".log")
        self.conf = os.path.join(folder, kind + ".conf")
        tls = ""
        if certs is not None:
            tls = ('global(defaultNetstreamDriverCAFile="%s" defaultNetstreamDriverCertFile="%s" defaultNetstreamDriverKeyFile="%s")\n'
                   % (certs.path("ca.pem"), certs.path("server.pem"), certs.path("server.key")))
        inputs = {
            "tcp": 'module(load="imtcp")\ninput(type="imtcp" port="%d" address="127.0.0.1")\n',
            "tls": 'module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")\n'
                   'input(type="imtcp" port="%d" address="127.0.0.1")\n',
            "udp": 'module(load="imudp")\ninput(type="imudp" port="%d" address="127.0.0.1")\n',
            "relp": 'module(load="imrelp")\ninput(type="imrelp" port="%d" address="127.0.0.1" maxDataSize="128k")\n',
        }
        if certs is not None:
            inputs["relp-tls"] = (
                'module(load="imrelp" tls.tlslib="openssl")\ninput(type="imrelp" port="%%d" address="127.0.0.1" maxDataSize="128k" tls="on" '
                'tls.authMode="certvalid" tls.caCert="%s" tls.myCert="%s" tls.myPrivKey="%s")\n'
                % (certs.path("ca.pem"), certs.path("server.pem"), certs.path("server.key")))
        with open(self.conf, "w", encoding="ascii") as fh:
            fh.write('global(workDirectory="%s" maxMessageSize="128k" parser.escapeControlCharactersOnReceive="on")\n' % folder + tls)
            # A direct queue: a message is in the file before RELP says so.
            fh.write('main_queue(queue.type="Direct")\n')
            fh.write(inputs[kind] % self.port)
            fh.write('template(name="raw" type="string" string="%%rawmsg%%\\n")\n*.* action(type="omfile" file="%s" template="raw")\n' % self.out)
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["rsyslogd", "-n", "-f", self.conf, "-i", os.path.join(self.folder, self.kind + ".pid")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.out + ".err", "ab"))
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError("rsyslogd ended: %s" % open(self.out + ".err", encoding="utf-8", errors="replace").read()[-300:])
            try:
                if self.kind == "udp":
                    time.sleep(0.5)
                else:
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("rsyslogd does not listen")

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None


class ClickHouse:
    """A server of one node whose Kafka engine reads a topic into a table: each message's number and how often it came."""

    CONFIG = """<yandex><logger><level>warning</level><log>{0}/log</log><errorlog>{0}/err</errorlog></logger>
<http_port>{1}</http_port><tcp_port>{2}</tcp_port><listen_host>127.0.0.1</listen_host><path>{0}/data/</path><tmp_path>{0}/tmp/</tmp_path>
<users_config>{0}/users.xml</users_config><mark_cache_size>5368709120</mark_cache_size><default_profile>default</default_profile>
<kafka><auto_offset_reset>earliest</auto_offset_reset></kafka></yandex>"""
    USERS = """<yandex><profiles><default><stream_flush_interval_ms>500</stream_flush_interval_ms></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
<quotas><default/></quotas></yandex>"""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        os.makedirs(folder, exist_ok=True)
        for name, text in (("config.xml", self.CONFIG.format(folder, self.port, free_port())), ("users.xml", self.USERS)):
            with open(os.path.join(folder, name), "w", encoding="ascii") as fh:
                fh.write(text)

    def start(self):
        self.process = subprocess.Popen(["clickhouse-server", "--config-file=" + os.path.join(self.folder, "config.xml")], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                if self.ask("SELECT 1") == "1\n":
                    return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("clickhouse-server does not answer")

    def ask(self, question):
        request = urllib.request.Request("http://127.0.0.1:%d/" % self.port, data=question.encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode("utf-8", "replace")[:300]) from error

    def read_topic(self, brokers, topic):
        self.ask("CREATE TABLE seen (n UInt64, valid UInt8) ENGINE = MergeTree ORDER BY n")
        # One text a message; the JSON has no tabs and no line ends.
        self.ask("CREATE TABLE queue (message String) ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s', "
                 "kafka_group_name = 'clickhouse', kafka_format = 'TSV', kafka_row_delimiter = '\\n', kafka_num_consumers = 1" % (brokers, topic))
        self.ask("CREATE MATERIALIZED VIEW fill TO seen AS SELECT toUInt64OrZero(extract(message, '\"event ([0-9]+)\"')) AS n, "
                 "message LIKE '{%}' AS valid FROM queue")

    def counts(self, of):
        """Of numbers `of`: rows, different numbers, the highest, and how many were no JSON object."""
        return [int(x) for x in self.ask("SELECT count(), uniqExact(n), max(n), countIf(valid = 0) FROM seen WHERE n %s" % of).split()]

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Sink:
    """HTTPS: HEC with acknowledgement, bulk and webhook. `lose` of the answers are lost on purpose after the events were taken,
    `busy` of the requests get 503; both by a fixed pattern, so that runs repeat. The first `misset` requests are refused for a wrong index,
    and those that hold the event `bad` for that event, as Splunk does."""

    def __init__(self, certs, cert="server", lose=0, busy=0, port=0, keep=None, misset=0, bad=None):
        self.taken, self.lock = {}, threading.Lock()
        self.keep = open(keep, "ab") if keep else None  # one number a line, written before it is acknowledged
        self.requests = self.lost = self.refused = 0
        self.next_ack = 0
        self.ids = set()
        self.conflicts = 0
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, code, document, **headers):
                body = json.dumps(document).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                for key, value in headers.items():
                    self.send_header(key.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path.endswith("/ack"):
                    asked = json.loads(body)["acks"]
                    # The first question about an id is too early.
                    with sink.lock:
                        said = {str(i): i in sink.ids for i in asked}
                        sink.ids.update(asked)
                    return self.answer(200, {"acks": said})
                with sink.lock:
                    sink.requests += 1
                    number = sink.requests
                if busy and number % busy == 0:
                    sink.refused += 1
                    return self.answer(503, {"text": "busy", "code": 9}, Retry_After="0")
                if number <= misset:
                    return self.answer(400, {"text": "Incorrect index", "code": 7, "invalid-event-number": 0})
                if bad is not None and bad in numbers_in(body):
                    sink.refused += 1
                    return self.answer(400, {"text": "Invalid data format", "code": 6, "invalid-event-number": 0})
                if self.path.endswith("/_bulk"):
                    document = sink.bulk(body)
                else:
                    sink.take(body)
                    with sink.lock:
                        sink.next_ack += 1
                        document = {"text": "Success", "code": 0, "ackId": sink.next_ack}
                if lose and number % lose == 1:
                    sink.lost += 1
                    self.close_connection = True
                    self.connection.close()
                    return None
                return self.answer(200, document)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certs.path(cert + ".pem"), certs.path(cert + ".key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = "https://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, body):
        found = numbers_in(body)
        with self.lock:
            if self.keep is not None:
                self.keep.write(b"".join(b"event %d\n" % number for number, count in found.items() for _ in range(count)))
                self.keep.flush()
            for number, count in found.items():
                self.taken[number] = self.taken.get(number, 0) + count

    def bulk(self, body):
        lines = body.split(b"\n")
        items = []
        for i in range(0, len(lines) - 1, 2):
            name = json.loads(lines[i])["create"]["_id"]
            with self.lock:
                known = name in self.ids
                self.ids.add(name)
                self.conflicts += known
            if not known:
                self.take(lines[i + 1])
            items.append({"create": {"_id": name, "status": 409 if known else 201}})
        return {"errors": False, "items": items}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    # A sink as a process of its own, to be killed: receivers.py CERTS PORT KEPT
    Sink(Certificates.made(sys.argv[1]), port=int(sys.argv[2]), keep=sys.argv[3])
    threading.Event().wait()


def tell(table, out):
    """Prints the rows as the table that documentation shows; with a path, writes them there as JSON too."""
    if out:
        with open(out, "w", encoding="utf-8") as fh:
            json.dump(table, fh, indent=1)
    keys = list(dict.fromkeys(key for row in table for key in row))
    if keys:
        print("| %s |\n|%s" % (" | ".join(key.replace("_", " ") for key in keys), " --- |" * len(keys)))
    for row in table:
        print("| %s |" % " | ".join("{:,}".format(row[key]) if isinstance(row.get(key), int) else str(row.get(key, "")) for key in keys))
