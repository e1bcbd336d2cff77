//! The walk: all tenants in random turns, over few connections that carry everybody's requests, several of them on
//! their way at once. What is done follows from the seed alone, thread by thread; with one thread a run repeats
//! another one exactly.
//!
//! A tenant belongs to one thread, which knows what the tenant must find.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use vigint_core::clock::{Clock as _, UtcTime};

use super::connection::{Answer, Connection};
use super::dice::Dice;
use super::model::Model;
use super::operations::{self, Known, Prepared, Scene};
use super::oracle::{Number, Oracle, Wrong};
use super::plan::{Plan, Server};
use super::tenants::{self, Tenant};

/// Connections of one thread.
const CONNECTIONS: usize = 4;

/// The server, everybody on it, and what everybody has done so far.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) tenants: Vec<Tenant>,
    pub(super) models: Vec<Model>,
    pub(super) oracle: Oracle,
    pub(super) start: UtcTime,
    pub(super) done: usize,
}

/// What went wrong, and where.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) operation: usize,
    pub(super) tenant: Number,
    pub(super) request: String,
    pub(super) wrong: Wrong,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            tenant,
            request,
            wrong,
        } = self;
        write!(
            f,
            "operation {operation}: tenant {tenant} asked {request}: "
        )?;
        match wrong {
            Wrong::Foreign { owner, word } => {
                write!(f, "it holds {word}, which is tenant {owner}'s")
            }
            Wrong::Unexpected(what) => f.write_str(what),
        }
    }
}

/// How often each route was called, and how often it gave what was asked for.
pub(super) type Calls = BTreeMap<(&'static str, &'static str), (usize, usize)>;

impl World {
    pub(super) fn on(server: Server, plan: &Plan) -> Self {
        let (tenants, oracle) = tenants::make(&server, plan.tenants, plan.seed);
        let start = server.clock.now();
        let models = vec![Model::default(); tenants.len()];
        Self {
            server,
            tenants,
            models,
            oracle,
            start,
            done: 0,
        }
    }

    /// Lets everybody walk.
    pub(super) fn walk(&mut self, plan: &Plan) -> Result<Calls, Violation> {
        let mut parts: Vec<Vec<Walking<'_>>> = (0..plan.threads).map(|_| Vec::new()).collect();
        for (tenant, model) in self.tenants.iter().zip(&mut self.models) {
            parts[tenant.number % plan.threads].push(Walking { tenant, model });
        }
        let known: Vec<_> = operations::all()
            .into_iter()
            .filter(|known| (plan.calls)(known))
            .collect();
        let (stop, first) = (AtomicBool::new(false), self.done);
        let (oracle, address, start) = (&self.oracle, self.server.test.address(), self.start);
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = parts
                .into_iter()
                .enumerate()
                .map(|(number, tenants)| {
                    let thread = Thread {
                        dice: Dice::new(plan.seed ^ u64::try_from(first).unwrap(), number),
                        tenants,
                        known: &known,
                        connections: (0..CONNECTIONS)
                            .map(|_| Connection::open(address))
                            .collect(),
                        oracle,
                        start,
                        stop: &stop,
                        next: first + number,
                        step: plan.threads,
                        calls: Calls::new(),
                    };
                    scope.spawn(|| thread.walk(first + plan.operations))
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        self.done += plan.operations;
        let mut calls = Calls::new();
        for outcome in outcomes {
            for (route, (made, good)) in outcome? {
                let sums = calls.entry(route).or_default();
                *sums = (sums.0 + made, sums.1 + good);
            }
        }
        Ok(calls)
    }
}

struct Walking<'a> {
    tenant: &'a Tenant,
    model: &'a mut Model,
}

struct Thread<'a> {
    dice: Dice,
    tenants: Vec<Walking<'a>>,
    known: &'a [&'static Known],
    connections: Vec<Connection>,
    oracle: &'a Oracle,
    start: UtcTime,
    stop: &'a AtomicBool,
    next: usize,
    step: usize,
    calls: Calls,
}

/// A request on its way.
struct Sent {
    operation: usize,
    /// Whose, as an index of this thread's.
    of: usize,
    known: &'static Known,
    prepared: Prepared,
}

impl Sent {
    fn is_head(&self) -> bool {
        self.prepared.request.method == "HEAD"
    }
}

impl Thread<'_> {
    fn walk(mut self, end: usize) -> Result<Calls, Violation> {
        while self.next < end && !self.stop.load(Ordering::Relaxed) {
            let at_once = if self.dice.once_in(3) {
                1 + self.dice.below(4)
            } else {
                1
            };
            let left = (end - self.next).div_ceil(self.step);
            let of = self.dice.different(at_once.min(left), self.tenants.len());
            let sent: Vec<_> = of.into_iter().map(|of| self.draw(of)).collect();
            let _said = SaysWhere(sent[0].operation);
            let connection = self.dice.below(CONNECTIONS);
            if let Err(violation) = self.exchange(connection, sent) {
                self.stop.store(true, Ordering::Relaxed);
                return Err(violation);
            }
        }
        Ok(self.calls)
    }

    /// Sends all, and only then reads the answers; but a `HEAD` goes alone: actix-http 3.20 frames an answer by the
    /// method of the last request that it has read by then (`h1/codec.rs`), not by that of the one it answers.
    fn exchange(&mut self, connection: usize, sent: Vec<Sent>) -> Result<(), Violation> {
        let mut rest = sent.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut at_once = vec![first];
            while !at_once[0].is_head()
                && let Some(next) = rest.next_if(|next| !next.is_head())
            {
                at_once.push(next);
            }
            let requests = at_once.iter().map(|sent| sent.prepared.request.bytes());
            let bytes = requests.collect::<Vec<_>>().concat();
            self.connections[connection].send(&bytes);
            for sent in at_once {
                let answer = self.connections[connection].answer(sent.prepared.request.method);
                self.take(sent, &answer)?;
            }
        }
        Ok(())
    }

    fn draw(&mut self, of: usize) -> Sent {
        let other = (of + 1 + self.dice.below(self.tenants.len() - 1)) % self.tenants.len();
        let known = operations::draw_route(&mut self.dice, self.known);
        let operation = self.next;
        self.next += self.step;
        let mut scene = Scene {
            dice: &mut self.dice,
            me: self.tenants[of].tenant,
            model: self.tenants[of].model,
            other: self.tenants[other].tenant,
            others: self.tenants[other].model,
            operation,
            start: self.start,
        };
        let mut prepared = (known.draw)(&mut scene);
        // What has a body ends its connection when it is refused: nobody could answer what comes behind it.
        if prepared.key.is_some()
            && prepared.request.body.is_empty()
            && known.route.0 != "HEAD"
            && self.dice.once_in(40)
        {
            prepared = prepared.without_a_good_key(&mut self.dice, self.tenants[other].tenant);
        }
        Sent {
            operation,
            of,
            known,
            prepared,
        }
    }

    fn take(&mut self, sent: Sent, answer: &Answer) -> Result<(), Violation> {
        let Sent {
            operation,
            of,
            known,
            prepared,
        } = sent;
        let Walking { tenant, model } = &mut self.tenants[of];
        let request = format!("{} {}", prepared.request.method, prepared.request.path);
        let judged = judge(self.oracle, known, prepared, model, answer);
        let (made, good) = self.calls.entry(known.route).or_default();
        *made += 1;
        *good += usize::from((200..300).contains(&answer.status));
        judged.map_err(|wrong| Violation {
            operation,
            tenant: tenant.number,
            request,
            wrong,
        })
    }
}

/// Holds an answer against what it must and must not hold, and counts it.
pub(super) fn judge(
    oracle: &Oracle,
    known: &Known,
    prepared: Prepared,
    model: &mut Model,
    answer: &Answer,
) -> Result<(), Wrong> {
    let (method, path) = known.route;
    let judged = oracle.judge(prepared.asker, answer);
    let judged = judged.and_then(|()| (prepared.check)(answer, model));
    if let Some(key) = prepared.key {
        model.count(key, (path, method, answer.status));
    }
    judged
}

/// When a thread panics, which operation it was at.
struct SaysWhere(usize);

impl Drop for SaysWhere {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("isolation: at or just after operation {}", self.0);
        }
    }
}
