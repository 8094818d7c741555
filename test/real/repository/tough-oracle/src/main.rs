//! A TUF client of tough: what it sees of a repository of ours.
//!
//! - `tough-oracle FOLDER METADATA-URL TARGETS-URL ROOT-FILE [TARGET ...]`, of which FOLDER is the client's own, kept from run to run.
//! - It prints one JSON object; a refusal is an answer, not an exit. Nothing is checked here: every verdict is tough's.
//! - It needs help in one point: tough puts the digest of a target before its whole name (`DIGEST.a/b`), where the specification puts
//!   it before the file's own (`a/DIGEST.b`, section 6.2). The transport moves it, and the answer says how often.
//! - Addresses are asked for over plain HTTP on the loopback, by a few lines of our own: tough's own transport would bring TLS along.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};
use tough::{
    Bytes, IntoVec, RepositoryLoader, TargetName, Transport, TransportError, TransportErrorKind,
    TransportStream, async_trait,
};
use url::Url;

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Clone)]
struct Loopback;

#[async_trait]
impl Transport for Loopback {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let broken =
            |fault| TransportError::new_with_cause(TransportErrorKind::Other, url.as_str(), fault);
        let (status, body) = get(&moved(&url)).map_err(broken)?;
        match status {
            200 => Ok(Box::pin(futures::stream::iter([Ok(Bytes::from(body))]))),
            403 | 404 => Err(TransportError::new(
                TransportErrorKind::FileNotFound,
                url.as_str(),
            )),
            _ => Err(TransportError::new(TransportErrorKind::Other, url.as_str())),
        }
    }
}

static MOVED: AtomicUsize = AtomicUsize::new(0);

/// The address with the digest of a target before the file's own name.
fn moved(url: &Url) -> Url {
    let mut moved = url.clone();
    if let Some((before, name)) = url.path().split_once("/targets/")
        && let Some((digest, path)) = name.split_once('.')
        && digest.len() == 64
        && let Some((folders, file)) = path.rsplit_once('/')
    {
        MOVED.fetch_add(1, Ordering::Relaxed);
        moved.set_path(&format!("{before}/targets/{folders}/{digest}.{file}"));
    }
    moved
}

/// One request over a connection of its own; the body ends with the connection.
fn get(url: &Url) -> std::io::Result<(u16, Vec<u8>)> {
    let host = format!(
        "{}:{}",
        url.host_str().unwrap_or_default(),
        url.port().unwrap_or(80)
    );
    let mut stream = TcpStream::connect(&host)?;
    write!(
        stream,
        "GET {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
        url.path()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(answer.len());
    let text = String::from_utf8_lossy(&answer[..head]).into_owned();
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    Ok((status, answer.split_off((head + 4).min(answer.len()))))
}

async fn see(given: &[String]) -> Result<Value, Fault> {
    let [folder, metadata, files, root, ask @ ..] = given else {
        return Err("usage: FOLDER METADATA-URL TARGETS-URL ROOT-FILE [TARGET ...]".into());
    };
    let root = std::fs::read(Path::new(root))?;
    let repository = RepositoryLoader::new(&root, Url::parse(metadata)?, Url::parse(files)?)
        .transport(Loopback)
        .datastore(folder)
        .load()
        .await?;
    let mut targets = Map::new();
    for name in ask {
        targets.insert(
            name.clone(),
            Value::from(content_of(&repository, name).await),
        );
    }
    Ok(json!({
        "versions": {
            "root": repository.root().signed.version,
            "timestamp": repository.timestamp().signed.version,
            "snapshot": repository.snapshot().signed.version,
            "targets": repository.targets().signed.version,
        },
        "targets": targets,
        "moved": MOVED.load(Ordering::Relaxed),
    }))
}

/// The content of a target in hex, or why there is none.
async fn content_of(repository: &tough::Repository, name: &str) -> String {
    let read = async {
        let name = TargetName::new(name)?;
        let Some(stream) = repository.read_target(&name).await? else {
            return Err("not found".into());
        };
        Ok::<_, Fault>(stream.into_vec().await?)
    };
    match read.await {
        Ok(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(fault) => format!("refused: {fault}"),
    }
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let answer = runtime
        .block_on(see(&given))
        .unwrap_or_else(|fault| json!({ "fault": fault.to_string() }));
    println!("{answer}");
}
