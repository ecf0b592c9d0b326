//! What it costs to serve a fleet: `cargo bench -p imdsctl-sim --bench serve [FLEET OPTIONS]`.
//!
//! It starts the real binary, reads every page of instances of every account and Region over one connection, throws
//! the pages away, and prints how long the start took, what the server needed of the processor and of memory, and how
//! much it sent. Everything after `--` goes to the binary; without it, `fleets/one-region-10k.yaml` is served.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const DEFAULT: [&str; 2] = ["--fleet", concat!(env!("CARGO_MANIFEST_DIR"), "/fleets/one-region-10k.yaml")];

fn main() -> Outcome<()> {
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments = if given.is_empty() { DEFAULT.map(str::to_owned).to_vec() } else { given };
    let started = Instant::now();
    let mut server =
        Command::new(env!("CARGO_BIN_EXE_imdsctl-sim")).args(&arguments).stdout(Stdio::piped()).spawn()?;
    let measured = measure(&mut server, started);
    server.kill()?;
    server.wait()?;
    measured
}

/// An access key, and the Regions that the fleet describes for it.
struct Key {
    id: String,
    regions: Vec<String>,
}

fn measure(server: &mut Child, started: Instant) -> Outcome<()> {
    let stdout = server.stdout.take().ok_or("no stdout")?;
    let mut lines = BufReader::new(stdout).lines();
    let url = lines.next().ok_or("the server did not start")??;
    let start = started.elapsed();
    let address = url.trim_start_matches("http://").to_owned();
    let mut keys = Vec::new();
    for line in lines {
        let line = line?;
        keys.extend(key(&line));
        if line.starts_with("export AWS_SECRET") {
            break;
        }
    }
    let after_start = cpu(server)?;
    let mut client = Client { stream: TcpStream::connect(&address)?, address, buffer: vec![0; 1 << 20] };
    let (mut pages, mut bytes, mut scopes) = (0_u32, 0, 0);
    let reading = Instant::now();
    for key in &keys {
        for region in &key.regions {
            scopes += 1;
            let mut token = None;
            loop {
                let (length, next) = client.page(&key.id, region, token.as_deref())?;
                pages += 1;
                bytes += length;
                token = next;
                if token.is_none() {
                    break;
                }
            }
        }
    }
    let took = reading.elapsed();
    let used = cpu(server)?.saturating_sub(after_start);
    let mut out = io::stdout().lock();
    writeln!(out, "start                      {start:?}, processor {after_start:?}")?;
    writeln!(out, "scopes, pages              {scopes}, {pages}")?;
    writeln!(out, "sent                       {:.1} MB", to_f64(bytes) / 1e6)?;
    writeln!(out, "read by a plain client in  {took:?}")?;
    writeln!(out, "processor of the server    {used:?}, {:?} a page", used / pages.max(1))?;
    writeln!(out, "peak memory of the server  {} MiB", peak_kib(server)? / 1024)?;
    Ok(())
}

/// `[# ]export AWS_ACCESS_KEY_ID=KEY  # account (name): regions`.
fn key(line: &str) -> Option<Key> {
    let (_, rest) = line.split_once("AWS_ACCESS_KEY_ID=")?;
    let (id, rest) = rest.split_once(' ')?;
    let regions = rest.rsplit_once(": ")?.1.split(' ').map(str::to_owned).collect();
    Some(Key { id: id.to_owned(), regions })
}

/// One connection, kept.
struct Client {
    stream: TcpStream,
    address: String,
    buffer: Vec<u8>,
}

impl Client {
    /// The length of a page, and the token of the next one, which is in its last bytes.
    fn page(&mut self, key: &str, region: &str, token: Option<&str>) -> Outcome<(usize, Option<String>)> {
        let token = token.map(|token| format!("&NextToken={token}")).unwrap_or_default();
        let body = format!(
            "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000&IncludeManagedResources=true{token}"
        );
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={key}/20261115/{region}/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            self.address,
            body.len()
        );
        self.stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut answer = Vec::new();
        let (length, begin) = loop {
            let read = self.stream.read(&mut self.buffer)?;
            if read == 0 {
                return Err("the server hung up".into());
            }
            answer.extend_from_slice(&self.buffer[..read]);
            if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
                if !head.starts_with("http/1.1 200") {
                    return Err(head.into());
                }
                let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                break (length.ok_or("no length")?.trim().parse::<usize>()?, end + 4);
            }
        };
        // Only the end is looked at, so only the end is kept.
        let mut tail = answer.split_off(begin.min(answer.len()));
        let mut left = length - tail.len();
        while left > 0 {
            let read = self.stream.read(&mut self.buffer)?;
            tail.extend_from_slice(&self.buffer[..read]);
            tail.drain(..tail.len().saturating_sub(1024));
            left -= read;
        }
        let text = String::from_utf8_lossy(&tail);
        let next =
            text.rsplit_once("<nextToken>").and_then(|(_, rest)| Some(rest.split_once('<')?.0.to_owned()));
        Ok((length, next))
    }
}

fn peak_kib(server: &Child) -> Outcome<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).ok_or("no VmHWM")?.parse()?)
}

/// User and system time. The kernel counts in ticks of 10 ms.
fn cpu(server: &Child) -> Outcome<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.id()))?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
    let ticks = |at: usize| -> Outcome<u64> { Ok(fields.get(at).ok_or("no stat")?.parse()?) };
    Ok(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
}

#[expect(clippy::cast_precision_loss, reason = "for printing")]
fn to_f64(bytes: usize) -> f64 {
    bytes as f64
}
