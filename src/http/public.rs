//! Addresses that strangers name, and the hosts that they may lead to.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

/// Names to addresses, as the system has them; of those, the public ones alone where that is asked.
#[derive(Clone)]
pub(super) struct Resolver {
    system: GaiResolver,
    only_public: bool,
}

impl Resolver {
    pub(super) fn new(only_public: bool) -> Self {
        Self { system: GaiResolver::new(), only_public }
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolving, only_public) = (self.system.call(name), self.only_public);
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = resolving.await?.filter(|address| !only_public || is_public(address.ip())).collect();
            Ok(addresses.into_iter())
        })
    }
}

/// Whether this can be an address of somebody else's: https, and not the number of a host that is not public. What a name
/// leads to shows when it is resolved.
pub(super) fn is_public_url(uri: &Uri) -> bool {
    let literal = uri.host().and_then(|host| host.trim_start_matches('[').trim_end_matches(']').parse().ok());
    uri.scheme_str() == Some("https") && literal.is_none_or(is_public)
}

/// Whether an address is one of the public Internet (the IANA registries of special-purpose addresses): neither this
/// machine, nor its network, nor a cloud's metadata service, nor a way to any of them through a translator.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match a {
        0 | 10 | 127 | 224..=255 => true,
        100 => (64..128).contains(&b), // shared by the customers of a carrier
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        198 => b == 18 || b == 19 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => false,
    };
    !is_special
}

/// 2000::/3 is what was given out; within it, 2001::/23 (Teredo among it), 2001:db8::/32, 2002::/16 (6to4) and 3fff::/20
/// are no hosts of anybody's.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_special = match first {
        0x2001 => second < 0x200 || second == 0xdb8,
        0x2002 => true,
        0x3fff => second < 0x1000,
        _ => false,
    };
    first & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::super::{Fault, Http};
    use super::*;

    /// WB-04: who lets others name an address reaches no host that is not everybody's.
    #[tokio::test]
    async fn a_public_client_asks_public_addresses_alone() {
        let public = Http::to_the_public(None, Duration::from_secs(5), 64).expect("a client");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        for host in [
            "127.0.0.1",
            "127.1.2.3",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "[ff02::1]",
        ] {
            assert_eq!(public.get(&format!("https://{host}:{port}/"), &[]).await, Err(Fault::Address), "{host}");
        }
        // What looks like a name is resolved first: by then it is a number.
        for host in ["localhost", "localhost.", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"] {
            assert_eq!(public.get(&format!("https://{host}:{port}/"), &[]).await, Err(Fault::NoAnswer), "{host}");
        }
        assert_eq!(public.get(&format!("http://localhost:{port}/"), &[]).await, Err(Fault::Address));
        let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "somebody connected");
    }

    #[test]
    fn addresses_of_the_public_internet_are_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8",
        ] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
    }
}
