//! What a server holds: pictures by its own account, memory by the kernel's.

use std::time::Duration;

use anyhow::Context as _;
use vigint_core::wire::SourcesResponse;

use crate::bench::customer::Customer;
use crate::{loopback, memory};

/// How long the server may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Bytes of physical memory that a process uses.
pub(super) fn resident(pid: u32) -> anyhow::Result<u64> {
    Ok(u64::from(memory::resident(pid)?) * 1024)
}

/// Bytes of pictures in the rings of these clients.
pub(super) fn held(url: &str, customers: &[Customer]) -> anyhow::Result<u64> {
    let agent = loopback::agent(ANSWER_LIMIT);
    let mut held = 0;
    for customer in customers {
        let mut answer = agent
            .get(format!("{url}/api/clients/{}/sources", customer.id))
            .header("Authorization", format!("Bearer {}", customer.key))
            .call()
            .context("the server does not tell its sources")?;
        let sources: SourcesResponse = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        let bytes: usize = sources.sources.iter().map(|source| source.bytes).sum();
        held += u64::try_from(bytes)?;
    }
    Ok(held)
}
