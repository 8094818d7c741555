// Reads a log as Go's own checksum database client does, and says what it finds: checkpoint, tiles, entries and proofs.
//
//   - Every check is that of golang.org/x/mod/sumdb: note.Open, tlog.TileHashReader, tlog.CheckRecord, tlog.CheckTree.
//   - It reads one JSON object from its input and prints one; a fault of a check is an answer, not an exit.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Folder  string   // the folder of the log
	Vkey    string   // the verifier key of the log
	Entries [][]byte // all entries, in order
	Proofs  []proof  // proofs of ours to check
	Old     *tree    // an older tree that the log must have grown from
	Growth  [][]byte // our proof of that
}
type proof struct {
	Index  int64
	Hashes [][]byte
}
type tree struct {
	Size int64
	Hash []byte
}

func hashOf(bytes []byte) (hash tlog.Hash) { copy(hash[:], bytes); return }

func hashesOf(all [][]byte) (hashes []tlog.Hash) {
	for _, bytes := range all {
		hashes = append(hashes, hashOf(bytes))
	}
	return
}

// tiles reads tiles of height 8 where tlog-tiles puts them.
type tiles struct{ folder string }

func (t tiles) Height() int                         { return 8 }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (t tiles) ReadTiles(all []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range all {
		bytes, err := os.ReadFile(filepath.Join(t.folder, pathOf(tile)))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func pathOf(tile tlog.Tile) string {
	path := fmt.Sprintf("%03d", tile.N%1000)
	for n := tile.N / 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if tile.W < 256 {
		path += fmt.Sprintf(".p/%d", tile.W)
	}
	return fmt.Sprintf("tile/%d/%s", tile.L, path)
}

func answer(q question) (string, error) {
	verifier, err := note.NewVerifier(q.Vkey)
	if err != nil {
		return "", fmt.Errorf("vkey: %w", err)
	}
	signed, err := os.ReadFile(filepath.Join(q.Folder, "checkpoint"))
	if err != nil {
		return "", err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return "", fmt.Errorf("note: %w", err)
	}
	var origin, hash string
	var size int64
	if _, err := fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &size, &hash); err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	root, err := tlog.ParseHash(hash)
	if err != nil {
		return "", err
	}
	head := tlog.Tree{N: size, Hash: root}
	// TileHashReader checks every tile that it reads against the checkpoint's root.
	reader := tlog.TileHashReader(head, tiles{q.Folder})
	for i, entry := range q.Entries {
		at := tlog.StoredHashIndex(0, int64(i))
		hashes, err := reader.ReadHashes([]int64{at})
		if err != nil {
			return "", fmt.Errorf("tiles: %w", err)
		}
		if hashes[0] != tlog.RecordHash(entry) {
			return "", fmt.Errorf("entry %d is not the leaf", i)
		}
		theirs, err := tlog.ProveRecord(size, int64(i), reader)
		if err != nil {
			return "", fmt.Errorf("prove: %w", err)
		}
		for _, ours := range q.Proofs {
			if ours.Index == int64(i) && fmt.Sprint(hashesOf(ours.Hashes)) != fmt.Sprint([]tlog.Hash(theirs)) {
				return "", fmt.Errorf("proof of %d differs", i)
			}
		}
	}
	for _, ours := range q.Proofs {
		if err := tlog.CheckRecord(hashesOf(ours.Hashes), size, root, ours.Index, tlog.RecordHash(q.Entries[ours.Index])); err != nil {
			return "", fmt.Errorf("record %d: %w", ours.Index, err)
		}
	}
	if q.Old != nil {
		if err := tlog.CheckTree(hashesOf(q.Growth), size, root, q.Old.Size, hashOf(q.Old.Hash)); err != nil {
			return "", fmt.Errorf("tree: %w", err)
		}
	}
	return fmt.Sprintf("%s %d", opened.Sigs[0].Name, size), nil
}

func main() {
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	found, err := answer(q)
	out := map[string]string{"found": found}
	if err != nil {
		out["fault"] = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		os.Exit(1)
	}
}
