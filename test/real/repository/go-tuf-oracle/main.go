// A TUF client and a TUF repository, both of go-tuf: what it sees of a repository of ours, and one that it writes for our client.
//
//   - It reads one JSON object from its input and prints one; a refusal is an answer, not an exit.
//   - Nothing is checked here: every verdict is that of go-tuf's updater, every byte that is written is made by its metadata package.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

type question struct {
	Do     string // see or write
	Folder string // the client's own folder, or where to write
	// see
	Metadata string   // the address of the metadata
	Files    string   // the address of the targets
	Root     []byte   // the root to start from, where the folder has none
	Ask      []string // the targets to find and download
	// write
	Targets []string // the names of the targets
}

type answer struct {
	Versions map[string]int64  `json:"versions,omitempty"`
	Targets  map[string]string `json:"targets,omitempty"` // the digest of each, or why there is none
	Fault    string            `json:"fault,omitempty"`
}

// bytesMax is how long targets and snapshot may be: go-tuf's own limits are those of small repositories.
const bytesMax = 64_000_000

func see(q question) (found answer, err error) {
	root, err := os.ReadFile(filepath.Join(q.Folder, "root.json"))
	if os.IsNotExist(err) {
		root = q.Root
	} else if err != nil {
		return found, err
	}
	cfg, err := config.New(q.Metadata, root)
	if err != nil {
		return found, err
	}
	cfg.LocalMetadataDir, cfg.LocalTargetsDir = q.Folder, filepath.Join(q.Folder, "targets")
	cfg.RemoteTargetsURL = q.Files
	cfg.SnapshotMaxLength, cfg.TargetsMaxLength = bytesMax, bytesMax
	client, err := updater.New(cfg)
	if err != nil {
		return found, err
	}
	if err := client.Refresh(); err != nil {
		return found, err
	}
	trusted := client.GetTrustedMetadataSet()
	found.Versions = map[string]int64{
		"root":      trusted.Root.Signed.Version,
		"timestamp": trusted.Timestamp.Signed.Version,
		"snapshot":  trusted.Snapshot.Signed.Version,
		"targets":   trusted.Targets["targets"].Signed.Version,
	}
	found.Targets = map[string]string{}
	for _, name := range q.Ask {
		found.Targets[name] = digestOf(client, name)
	}
	return found, nil
}

func digestOf(client *updater.Updater, name string) string {
	info, err := client.GetTargetInfo(name)
	if err != nil {
		return "refused: " + err.Error()
	}
	_, bytes, err := client.DownloadTarget(info, "", "")
	if err != nil {
		return "refused: " + err.Error()
	}
	digest := sha256.Sum256(bytes)
	return hex.EncodeToString(digest[:])
}

// holder is a key with what go-tuf signs by.
type holder struct {
	key    *metadata.Key
	signer signature.Signer
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func ed25519Holder() holder {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	return holder{must(metadata.KeyFromPublicKey(must(public, err))), must(signature.LoadSigner(private, crypto.Hash(0)))}
}

func ecdsaHolder() holder {
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return holder{must(metadata.KeyFromPublicKey(private.Public())), must(signature.LoadSigner(private, crypto.SHA256))}
}

func rsaHolder() holder {
	private := must(rsa.GenerateKey(rand.Reader, 2048))
	signer := must(signature.LoadRSAPSSSigner(private, crypto.SHA256, &rsa.PSSOptions{Hash: crypto.SHA256}))
	return holder{must(metadata.KeyFromPublicKey(private.Public())), signer}
}

// write makes a repository in two states, in the folders `before` and `after`; `after` has new keys for root and targets, a target
// more, and everything that lies in `before`.
func write(q question) answer {
	expires := time.Now().UTC().Truncate(time.Second).AddDate(0, 1, 0)
	holders := map[string]holder{"root": ecdsaHolder(), "targets": rsaHolder(), "snapshot": ed25519Holder(), "timestamp": ecdsaHolder()}
	role := ed25519Holder()
	root := metadata.Root(expires)
	for name, holder := range holders {
		must(0, root.Signed.AddKey(holder.key, name))
	}
	targets, snapshot, timestamp := metadata.Targets(expires), metadata.Snapshot(expires), metadata.Timestamp(expires)
	delegated := metadata.Targets(expires)
	targets.Signed.Delegations = &metadata.Delegations{
		Keys:  map[string]*metadata.Key{must(role.key.ID()): role.key},
		Roles: []metadata.DelegatedRole{{Name: "some role", KeyIDs: []string{must(role.key.ID())}, Threshold: 1, Paths: []string{"deep/*/?ne", "deep/*/*o"}}},
	}
	publish := func(folder string, names []string, rootSigners ...holder) {
		for _, name := range names {
			delegated.Signed.Targets[name] = place(folder, name)
		}
		sign(root, rootSigners...)
		sign(targets, holders["targets"])
		sign(delegated, role)
		put(folder, fmt.Sprintf("%d.root.json", root.Signed.Version), root)
		put(folder, fmt.Sprintf("%d.targets.json", targets.Signed.Version), targets)
		put(folder, fmt.Sprintf("%d.some%%20role.json", delegated.Signed.Version), delegated)
		snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(targets.Signed.Version)
		snapshot.Signed.Meta["some role.json"] = metadata.MetaFile(delegated.Signed.Version)
		sign(snapshot, holders["snapshot"])
		put(folder, fmt.Sprintf("%d.snapshot.json", snapshot.Signed.Version), snapshot)
		timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(snapshot.Signed.Version)
		sign(timestamp, holders["timestamp"])
		put(folder, "timestamp.json", timestamp)
	}
	publish(filepath.Join(q.Folder, "before"), q.Targets[:1], holders["root"])

	must(0, os.CopyFS(filepath.Join(q.Folder, "after"), os.DirFS(filepath.Join(q.Folder, "before"))))
	former := holders["root"]
	holders["root"], holders["targets"] = rsaHolder(), ecdsaHolder()
	for _, name := range []string{"root", "targets"} {
		for _, keyid := range root.Signed.Roles[name].KeyIDs {
			must(0, root.Signed.RevokeKey(keyid, name))
		}
		must(0, root.Signed.AddKey(holders[name].key, name))
	}
	root.Signed.Version++
	targets.Signed.Version++
	delegated.Signed.Version++
	snapshot.Signed.Version++
	timestamp.Signed.Version++
	publish(filepath.Join(q.Folder, "after"), q.Targets[1:], former, holders["root"])
	return answer{}
}

func sign[T metadata.Roles](file *metadata.Metadata[T], holders ...holder) {
	file.ClearSignatures()
	for _, holder := range holders {
		must(file.Sign(holder.signer))
	}
}

func put[T metadata.Roles](folder string, name string, file *metadata.Metadata[T]) {
	must(0, os.MkdirAll(filepath.Join(folder, "metadata"), 0o755))
	must(0, file.ToFile(filepath.Join(folder, "metadata", name), true))
}

// place writes the target and says how it is listed.
func place(folder string, name string) *metadata.TargetFiles {
	content := []byte("content of " + name)
	listed := must(metadata.TargetFile().FromBytes(name, content, "sha256"))
	path := filepath.Join(folder, "targets", filepath.Dir(name), hex.EncodeToString(listed.Hashes["sha256"])+"."+filepath.Base(name))
	must(0, os.MkdirAll(filepath.Dir(path), 0o755))
	must(0, os.WriteFile(path, content, 0o644))
	return listed
}

func main() {
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var found answer
	if q.Do == "write" {
		found = write(q)
	} else if seen, err := see(q); err != nil {
		found.Fault = err.Error()
	} else {
		found = seen
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		os.Exit(1)
	}
}
