// seine-test-kafka: librdkafka's mock cluster and a consumer of one topic.
//   seine-test-kafka TOPIC     prints "brokers HOST:PORT,.." first, then "KEY<tab>VALUE" for each
//   message, until killed; "trimmed N" where the mock threw messages away before they were read (it
//   keeps 5 MB or 100,000 of a partition). Lines to its input: `down` cuts all brokers off, `up` brings them back.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <thread>

namespace {

constexpr int kBrokers = 3;
constexpr int kPartitions = 64;  // so many that an outage's backlog fits

void obey(rd_kafka_mock_cluster_t* cluster) {
    char line[64];
    while (std::fgets(line, sizeof line, stdin) != nullptr) {
        for (int broker = 1; broker <= kBrokers; ++broker) {
            if (std::strcmp(line, "down\n") == 0) rd_kafka_mock_broker_set_down(cluster, broker);
            if (std::strcmp(line, "up\n") == 0) rd_kafka_mock_broker_set_up(cluster, broker);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    char words[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_t* host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, words, sizeof words);
    rd_kafka_mock_cluster_t* cluster = rd_kafka_mock_cluster_new(host, kBrokers);
    if (cluster == nullptr ||
        rd_kafka_mock_topic_create(cluster, argv[1], kPartitions, kBrokers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 1;
    const char* brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    std::printf("brokers %s\n", brokers);
    std::fflush(stdout);
    rd_kafka_conf_t* reader_conf = rd_kafka_conf_new();
    rd_kafka_conf_set(reader_conf, "bootstrap.servers", brokers, words, sizeof words);
    rd_kafka_conf_set(reader_conf, "group.id", "test", words, sizeof words);
    rd_kafka_conf_set(reader_conf, "auto.offset.reset", "earliest", words, sizeof words);
    rd_kafka_conf_set(reader_conf, "fetch.wait.max.ms", "50", words, sizeof words);
    rd_kafka_t* reader = rd_kafka_new(RD_KAFKA_CONSUMER, reader_conf, words, sizeof words);
    rd_kafka_poll_set_consumer(reader);
    rd_kafka_topic_partition_list_t* parts = rd_kafka_topic_partition_list_new(kPartitions);
    for (int i = 0; i < kPartitions; ++i) rd_kafka_topic_partition_list_add(parts, argv[1], i)->offset = 0;
    rd_kafka_assign(reader, parts);
    std::thread(obey, cluster).detach();
    std::int64_t next[kPartitions] = {};  // offsets
    while (true) {
        rd_kafka_message_t* message = rd_kafka_consumer_poll(reader, 100);
        if (message == nullptr) {
            std::fflush(stdout);
            continue;
        }
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            std::int64_t& expected = next[message->partition % kPartitions];
            if (message->offset > expected)
                std::printf("trimmed %lld\n", static_cast<long long>(message->offset - expected));
            expected = message->offset + 1;
            std::fwrite(message->key, 1, message->key_len, stdout);
            std::fputc('\t', stdout);
            std::fwrite(message->payload, 1, message->len, stdout);
            std::fputc('\n', stdout);
        }
        rd_kafka_message_destroy(message);
    }
}
