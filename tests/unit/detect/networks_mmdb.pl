# Makes networks.mmdb (libmaxmind-db-writer-perl): perl networks_mmdb.pl networks.mmdb
use MaxMind::DB::Writer::Tree;
my %types = (autonomous_system_number=>'uint32', traits=>'map', user_type=>'utf8_string', connection_type=>'utf8_string', asn=>'uint16', class=>'utf8_string');
my $tree = MaxMind::DB::Writer::Tree->new(ip_version=>6, record_size=>24, database_type=>'Seine-Test', languages=>['en'], description=>{en=>'made for a test'}, map_key_type_callback=>sub{$types{$_[0]}}, remove_reserved_networks=>0);
$tree->insert_network('192.0.2.0/25', {autonomous_system_number=>64496, traits=>{user_type=>'hosting'}});
$tree->insert_network('192.0.2.128/25', {asn=>64497, connection_type=>'Cellular'});
$tree->insert_network('2001:db8::/48', {autonomous_system_number=>4200000001, traits=>{user_type=>'college'}});
$tree->insert_network('198.51.100.0/24', {traits=>{user_type=>'a word that nobody knows'}});
open my $fh, '>:raw', $ARGV[0]; $tree->write_tree($fh); close $fh;
