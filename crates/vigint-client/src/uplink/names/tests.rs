use std::net::UdpSocket;

use tempfile::TempDir;
use vigint_testkit::name_server::NameServer;

use super::*;

const SHOP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// The two files in a folder of their own.
struct Machine {
    folder: TempDir,
    names: Names,
}

impl Machine {
    /// Neither file is there. DNS servers are asked on this port.
    fn bare(dns_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = Names {
            hosts_file: folder.path().join("hosts"),
            resolv_conf: folder.path().join("resolv.conf"),
            dns_port: Some(dns_port),
            known: Arc::default(),
        };
        Self { folder, names }
    }

    fn with(self, file: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(file), text).unwrap();
        self
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let found = self.names.addresses(name).await;
        found.map_err(|error| error.to_string())
    }
}

fn dns(known: &[(&str, IpAddr)]) -> NameServer {
    NameServer::start((Ipv4Addr::LOCALHOST, 0).into(), known).unwrap()
}

#[tokio::test]
async fn names_in_the_hosts_file_need_no_dns() {
    let machine = Machine::bare(1).with(
        "hosts",
        "# ours\n192.0.2.7 vigint.shop vigint\n2001:db8::7 vigint.shop\nnonsense\n",
    );
    let both = vec![SHOP, "2001:db8::7".parse().unwrap()];
    assert_eq!(machine.look_up("Vigint.Shop").await, Ok(both));
    assert_eq!(machine.look_up("vigint").await, Ok(vec![SHOP]));
}

#[tokio::test]
async fn localhost_is_this_machine_also_without_any_file() {
    let machine = Machine::bare(1);
    for name in ["localhost", "LOCALHOST", "vigint.localhost", "localhost."] {
        let found = machine.look_up(name).await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{name}: {found:?}");
    }
    assert!(machine.look_up("notlocalhost").await.is_err());
}

#[tokio::test]
async fn other_names_are_asked_of_the_servers_in_resolv_conf() {
    let server = dns(&[
        ("vigint.example", SHOP),
        ("six.example", "2001:db8::6".parse().unwrap()),
    ]);
    let machine = Machine::bare(server.address().port()).with(
        "resolv.conf",
        "nameserver 127.0.0.1\nsearch nowhere.test example\n",
    );
    assert_eq!(machine.look_up("vigint.example").await, Ok(vec![SHOP]));
    assert_eq!(machine.look_up("vigint").await, Ok(vec![SHOP]), "search");
    let six = vec!["2001:db8::6".parse().unwrap()];
    assert_eq!(machine.look_up("six.example").await, Ok(six));
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told_from_a_dns_that_is_not_there() {
    let server = dns(&[]);
    let machine = Machine::bare(server.address().port())
        .with("resolv.conf", "nameserver 127.0.0.1\noptions attempts:1\n");
    let said = machine.look_up("vigint.exmaple").await.unwrap_err();
    assert!(
        said.contains("knows no address of vigint.exmaple"),
        "{said}"
    );
    // Somebody who hears and never answers.
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let machine = Machine::bare(silent.local_addr().unwrap().port()).with(
        "resolv.conf",
        "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    );
    let said = machine.look_up("vigint.example").await.unwrap_err();
    assert!(said.contains("do not tell the address"), "{said}");
}

#[tokio::test]
async fn the_servers_of_a_network_that_comes_later_are_asked() {
    let server = dns(&[("vigint.example", SHOP)]);
    let machine = Machine::bare(server.address().port());
    let said = machine.look_up("vigint.example").await.unwrap_err();
    assert!(said.contains("there is no /"), "{said}");
    let machine = machine.with("resolv.conf", "# no network yet\n");
    let said = machine.look_up("vigint.example").await.unwrap_err();
    assert!(said.contains("resolv.conf is of no use"), "{said}");
    let machine = machine.with("resolv.conf", "nameserver 127.0.0.1\n");
    assert_eq!(machine.look_up("vigint.example").await, Ok(vec![SHOP]));
    drop(server);
    let again = machine.look_up("vigint.example").await;
    assert_eq!(again, Ok(vec![SHOP]), "what was said is remembered");
}

#[tokio::test]
async fn one_kind_of_address_is_enough_where_the_other_is_never_answered() {
    let server =
        NameServer::start_deaf_to_ipv6((Ipv4Addr::LOCALHOST, 0).into(), &[("v.example", SHOP)]);
    let server = server.unwrap();
    // Longer than a look-up may take.
    let machine = Machine::bare(server.address().port()).with(
        "resolv.conf",
        "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n",
    );
    assert_eq!(machine.look_up("v.example").await, Ok(vec![SHOP]));
}

#[tokio::test]
async fn what_is_no_name_is_said_to_be_none() {
    let machine = Machine::bare(1);
    let long = "a".repeat(64);
    let said = machine.look_up(&long).await.unwrap_err();
    assert!(said.contains("is no name of a machine"), "{said}");
}
