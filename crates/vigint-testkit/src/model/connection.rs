//! One connection, served until either side ends it.

use std::io::{self, BufReader, Write as _};
use std::net::TcpStream;

use super::answer::{Answer, Content, Delivery, HalfWay};
use super::refusal::refuse;
use super::request::{Call, ModelRequest, Provider};
use super::state::{Shared, Turn};
use super::{gemini, openai};
use crate::http::{self, HttpAnswer, HttpRequest};

/// How a flood begins, so that what it comes to could still be an answer.
const FLOOD_BEGINS: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":""#;
const FLOOD_BLOCK: usize = 64 << 10;

/// What comes after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    Close,
}

/// Answers one request after the other. An error is a client that has gone, or a stand-in that stops.
pub(super) fn serve(shared: &Shared, number: u64, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let request = match http::read_request(&mut stream, shared.options.body_limit) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let answer = format!("HTTP/1.1 400 \r\nConnection: close\r\n\r\n{error}\n");
                return stream.get_mut().write_all(answer.as_bytes());
            }
            Err(error) => return Err(error),
        };
        let closes = request.closes_connection;
        let then = answer(shared, number, request, stream.get_mut())?;
        if closes || then == Then::Close {
            return Ok(());
        }
    }
}

fn answer(
    shared: &Shared,
    connection: u64,
    http: HttpRequest,
    stream: &mut TcpStream,
) -> io::Result<Then> {
    let mut request = ModelRequest::read(connection, http, &shared.options);
    let refusal = refuse(&request, &shared.options).err();
    request.refused = refusal.as_ref().map(|error| error.http(request.provider));
    let turn = shared.take_turn(request);
    let answer = match (refusal, &turn.scripted) {
        (Some(refusal), _) => refusal.into(),
        (None, Some(answer)) => answer.clone(),
        (None, None) if turn.request.call == Call::ListModels => {
            let list = list_models(shared, &turn.request);
            return send(shared, stream, &list, &Delivery::default());
        }
        (None, None) => (turn.fallback)(&turn.request),
    };
    deliver(shared, stream, &answer, &turn)
}

fn list_models(shared: &Shared, request: &ModelRequest) -> HttpAnswer {
    match request.provider {
        Provider::Gemini => {
            let query = request.query.as_deref().unwrap_or_default();
            gemini::list_models(&shared.options, query)
        }
        Provider::OpenAi => openai::list_models(&shared.options),
    }
}

fn deliver(
    shared: &Shared,
    stream: &mut TcpStream,
    answer: &Answer,
    turn: &Turn,
) -> io::Result<Then> {
    let Delivery { delay, behind, .. } = &answer.delivery;
    let goes_on =
        shared.wait_out(*delay) && behind.as_ref().is_none_or(|gate| shared.wait_for(gate));
    if !goes_on {
        return Ok(Then::Close);
    }
    let (request, number) = (&*turn.request, turn.number);
    let mut written = match (&answer.content, request.provider) {
        (Content::Reply(reply), Provider::Gemini) => gemini::reply(reply, request, number),
        (Content::Reply(reply), Provider::OpenAi) => openai::reply(reply, request, number),
        (Content::BlockedPrompt { reason }, Provider::Gemini) => {
            gemini::blocked_prompt(reason, request, number)
        }
        (Content::BlockedPrompt { .. }, Provider::OpenAi) => {
            openai::blocked_prompt(request, number)
        }
        (Content::Refusal { words }, Provider::Gemini) => gemini::refusal(words, request, number),
        (Content::Refusal { words }, Provider::OpenAi) => openai::refusal(words, request, number),
        (Content::Error(error), provider) => {
            let shape = shared.options.openai.error_shape;
            error.render(provider, shape, request.key().unwrap_or_default())
        }
        (Content::Raw { status, body }, _) => HttpAnswer {
            status: *status,
            headers: Vec::new(),
            body: body.clone(),
        },
        (Content::Flood { length }, _) => return flood(stream, answer, *length),
        (Content::Nothing, _) => return Ok(Then::Close),
    };
    written.headers.extend(answer.headers.iter().cloned());
    send(shared, stream, &written, &answer.delivery)
}

fn send(
    shared: &Shared,
    stream: &mut TcpStream,
    answer: &HttpAnswer,
    delivery: &Delivery,
) -> io::Result<Then> {
    let head = answer.head(&format!("Content-Length: {}", answer.body.len()));
    let (first, second) = match delivery.half_way {
        HalfWay::GoOn => answer.body.split_at(answer.body.len()),
        _ => answer.body.split_at(answer.body.len() / 2),
    };
    // In one piece, as it mostly comes from a real service.
    stream.write_all(&[head.as_bytes(), first].concat())?;
    match &delivery.half_way {
        HalfWay::GoOn => {}
        HalfWay::Close => return Ok(Then::Close),
        HalfWay::WaitFor(gate) if !shared.wait_for(gate) => return Ok(Then::Close),
        HalfWay::WaitFor(_) => stream.write_all(second)?,
    }
    Ok(Then::GoOn)
}

/// Sends until all is sent or nobody takes any more.
fn flood(stream: &mut TcpStream, answer: &Answer, length: Option<u64>) -> io::Result<Then> {
    let head = HttpAnswer {
        status: 200,
        headers: answer.headers.clone(),
        body: Vec::new(),
    };
    let block = "x".repeat(FLOOD_BLOCK);
    let Some(length) = length else {
        stream.write_all(head.head("Transfer-Encoding: chunked").as_bytes())?;
        let mut text = FLOOD_BEGINS;
        loop {
            write!(stream, "{:x}\r\n{text}\r\n", text.len())?;
            text = &block;
        }
    };
    stream.write_all(head.head(&format!("Content-Length: {length}")).as_bytes())?;
    let (mut left, mut text) = (length, FLOOD_BEGINS);
    while left > 0 {
        let count = usize::try_from(left).map_or(text.len(), |left| left.min(text.len()));
        let (now, _) = text.as_bytes().split_at(count);
        stream.write_all(now)?;
        left -= u64::try_from(count).unwrap_or(left);
        text = &block;
    }
    Ok(Then::GoOn)
}
