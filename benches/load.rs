//! The load of the benchmarks: some connections, each with one request after the other, for some seconds. Nothing but the standard library, so
//! that `rustc -O` compiles it in a moment, and a thread for each connection, which costs the measured machine little.
//!
//! `load send ADDRESS TOKEN CONNECTIONS SECONDS EVENTS <template` sends events: a request has so many copies of the event on standard input, in
//! which `@@` stands for a number that no other copy has. Prints the number of acknowledged events and the seconds that it took.
//!
//! `load walk ADDRESS CONNECTIONS SECONDS STRETCH <questions` reads pages of GraphQL. Standard input has the headers, one in each line, and an empty
//! line; in a line the body, in which `@@` stands for a cursor or `null`; and in each line after it a cursor or `null`. From one of them after the
//! other each connection walks on so many pages. Prints the number of pages, the seconds that it took, and below how many milliseconds 99 of 100
//! answers were.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let started = Instant::now();
    match arguments.as_slice() {
        ["send", address, token, connections, seconds, events] => {
            let (events, template) = (number(events)?, input.trim());
            let sent = at_once(number(connections)?, number(seconds)?, |connection, end| {
                send(address, token, template, events, connection << 32, end)
            })?;
            println!("{} {:.3}", sent.iter().sum::<u64>(), started.elapsed().as_secs_f64());
        }
        ["walk", address, connections, seconds, stretch] => {
            let (questions, stretch) = (Questions::read(&input)?, number(stretch)?);
            let times = at_once(number(connections)?, number(seconds)?, |connection, end| {
                walk(address, &questions, stretch, connection as usize, end)
            })?;
            let took = started.elapsed().as_secs_f64();
            let mut times = times.concat();
            times.sort_unstable();
            let p99 = times.get(times.len() * 99 / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
            println!("{} {took:.3} {p99:.2}", times.len());
        }
        _ => return Err(Error::other("load send ADDRESS TOKEN CONNECTIONS SECONDS EVENTS | load walk ADDRESS CONNECTIONS SECONDS STRETCH")),
    }
    Ok(())
}

fn number(text: &str) -> Result<u64> {
    text.parse().map_err(Error::other)
}

/// What each of the connections, known by a number, did until the end.
fn at_once<T: Send>(connections: u64, seconds: u64, work: impl Fn(u64, Instant) -> Result<T> + Sync) -> Result<Vec<T>> {
    let (end, work) = (Instant::now() + Duration::from_secs(seconds), &work);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..connections).map(|connection| scope.spawn(move || work(connection, end))).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| Error::other("a connection panicked"))?).collect()
    })
}

/// Sends until the end; answers how many events were acknowledged.
fn send(address: &str, token: &str, template: &str, events: u64, first: u64, end: Instant) -> Result<u64> {
    let mut connection = Connection::open(address)?;
    let head = format!("POST /api/v1/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    let mut sent = 0;
    while Instant::now() < end {
        let copies: Vec<String> =
            (0..events).map(|copy| template.replace("@@", &(first + sent + copy).to_string())).collect();
        let body = if events == 1 { copies.concat() } else { format!("{{\"events\":[{}]}}", copies.join(",")) };
        connection.ask(&head, &body, "HTTP/1.1 201")?;
        sent += events;
    }
    Ok(sent)
}

/// How pages are asked for.
struct Questions<'a> {
    headers: Vec<&'a str>,
    body: &'a str,
    places: Vec<&'a str>,
}

impl<'a> Questions<'a> {
    fn read(input: &'a str) -> Result<Self> {
        let (headers, rest) = input.split_once("\n\n").ok_or_else(|| Error::other("no empty line after the headers"))?;
        let mut rest = rest.lines();
        let body = rest.next().ok_or_else(|| Error::other("no body"))?;
        Ok(Self { headers: headers.lines().collect(), body, places: rest.collect() })
    }
}

/// Walks until the end; answers how long each page took.
fn walk(address: &str, questions: &Questions<'_>, stretch: u64, first: usize, end: Instant) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address)?;
    let head = format!("POST /graphql HTTP/1.1\r\nhost: {address}\r\n{}\r\n", questions.headers.join("\r\n"));
    let mut times = Vec::new();
    for place in questions.places.iter().cycle().skip(first) {
        let mut cursor = (*place).to_owned();
        for _ in 0..stretch {
            if Instant::now() >= end {
                return Ok(times);
            }
            let asked = Instant::now();
            let page = connection.ask(&head, &questions.body.replace("@@", &cursor), "HTTP/1.1 200")?;
            times.push(asked.elapsed());
            cursor = end_cursor(page)?;
            if cursor == "null" {
                break;
            }
        }
    }
    Ok(times)
}

/// The cursor of the next page, with its quotation marks, or `null`. It stands near the beginning or the end of a page.
fn end_cursor(page: &[u8]) -> Result<String> {
    const NAME: &[u8] = b"\"endCursor\":";
    let failed = || Error::other(String::from_utf8_lossy(page).into_owned());
    let at = page.windows(NAME.len()).position(|window| window == NAME).ok_or_else(failed)? + NAME.len();
    let cursor: Vec<u8> = page[at..].iter().copied().take_while(|byte| !matches!(byte, b',' | b'}')).collect();
    let cursor = String::from_utf8(cursor).map_err(Error::other)?;
    if cursor.starts_with('"') || cursor == "null" { Ok(cursor) } else { Err(failed()) }
}

/// A connection that is kept, and what it read last.
struct Connection {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let answers = BufReader::with_capacity(64 * 1024, stream.try_clone()?);
        Ok(Self { stream, answers, body: Vec::new() })
    }

    /// Sends one request and reads its answer, which has to have this status; answers its body.
    fn ask(&mut self, head: &str, body: &str, status: &str) -> Result<&[u8]> {
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        self.stream.write_all(request.as_bytes())?;
        let (mut line, mut head, mut length) = (String::new(), String::new(), None);
        while line != "\r\n" {
            line.clear();
            if self.answers.read_line(&mut line)? == 0 {
                return Err(Error::other("the connection was closed"));
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = Some(value.trim().parse().map_err(Error::other)?);
            }
            head.push_str(&line);
        }
        self.body.resize(length.ok_or_else(|| Error::other(format!("no length: {head}")))?, 0);
        self.answers.read_exact(&mut self.body)?;
        if head.starts_with(status) { Ok(&self.body) } else { Err(Error::other(head + &String::from_utf8_lossy(&self.body))) }
    }
}
