// Checks a log of static tlog-tiles with published Go modules only: none of Colophon's code runs here.
//
//	interop FOLDER VKEY [PROOF ENTRY]...
//
// FOLDER holds `checkpoint`, `tile/...` and, when the log is witnessed, `policy`. Each PROOF is a tlog-proof file of the
// entry whose bytes are in the file ENTRY. Exit code 0 only if every check passes.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"

	formatlog "github.com/transparency-dev/formats/log"
	formatproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) < 3 {
		fail(errors.New("usage: interop FOLDER VKEY [PROOF ENTRY]..."))
	}
	folder, vkey := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(vkey)
	fail(err)
	raw, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	fail(err)
	checkpoint, _, _, err := formatlog.ParseCheckpoint(raw, verifier.Name(), verifier)
	fail(err)
	fmt.Printf("x/mod note, formats/log: checkpoint of size %d is signed by %s\n", checkpoint.Size, verifier.Name())

	source := client.FileFetcher{Root: folder}
	fail(fsck.New(verifier.Name(), verifier, source, leafHashes, fsck.Opts{N: 2}).Check(context.Background()))
	fmt.Println("tessera fsck: clean")

	pairs := checkProofs(folder, checkpoint)
	fmt.Printf("x/mod tlog: %d inclusion and consistency proofs hold\n", pairs)

	if policy, err := os.ReadFile(filepath.Join(folder, "policy")); err == nil {
		group, err := tessera.NewWitnessGroupFromPolicy(policy)
		fail(err)
		if !group.Satisfied(raw) {
			fail(errors.New("the checkpoint does not meet the policy"))
		}
		fmt.Println("tessera: the witness policy is met")
	}
	for i := 3; i+1 < len(os.Args); i += 2 {
		checkProofFile(os.Args[i], os.Args[i+1], verifier)
	}
}

func leafHashes(bundle []byte) ([][]byte, error) {
	entries := &api.EntryBundle{}
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(entries.Entries))
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// tiles maps the tile names of x/mod (tile/8/L/...) to those of C2SP tlog-tiles.
type tiles struct{ folder string }

func (t tiles) Height() int                              { return 8 }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte)      {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(wanted))
	for i, tile := range wanted {
		name := tile.Path()[len("tile/8/"):]
		data, err := os.ReadFile(filepath.Join(t.folder, "tile", name))
		if err != nil {
			return nil, err
		}
		read[i] = data
	}
	return read, nil
}

func checkProofs(folder string, checkpoint *formatlog.Checkpoint) int {
	size := int64(checkpoint.Size)
	if size == 0 {
		return 0
	}
	root, err := tlog.TreeHash(size, tlog.TileHashReader(tlog.Tree{N: size, Hash: hashOf(checkpoint.Hash)}, tiles{folder}))
	fail(err)
	if root != hashOf(checkpoint.Hash) {
		fail(errors.New("the tiles lead to another root"))
	}
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{folder})
	random := rand.New(rand.NewSource(size))
	const pairs = 200
	for i := 0; i < pairs; i++ {
		index, smaller := random.Int63n(size), random.Int63n(size)+1
		record, err := tlog.ProveRecord(size, index, reader)
		fail(err)
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		fail(err)
		fail(tlog.CheckRecord(record, size, root, index, leaf[0]))
		older, err := tlog.TreeHash(smaller, reader)
		fail(err)
		tree, err := tlog.ProveTree(size, smaller, reader)
		fail(err)
		fail(tlog.CheckTree(tree, size, root, smaller, older))
	}
	return pairs
}

func checkProofFile(proofFile, entryFile string, verifier note.Verifier) {
	raw, err := os.ReadFile(proofFile)
	fail(err)
	entry, err := os.ReadFile(entryFile)
	fail(err)
	var parsed formatproof.TLogProof
	fail(parsed.Unmarshal(raw))
	checkpoint, _, _, err := formatlog.ParseCheckpoint(parsed.Checkpoint, verifier.Name(), verifier)
	fail(err)
	hashes := make([][]byte, len(parsed.Hashes))
	for i := range parsed.Hashes {
		hashes[i] = parsed.Hashes[i][:]
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	fail(proof.VerifyInclusion(rfc6962.DefaultHasher, parsed.Index, checkpoint.Size, leaf, hashes, checkpoint.Hash))
	if !bytes.Equal(parsed.Marshal(), raw) {
		fail(errors.New("the proof is not in the form in which Go writes it"))
	}
	fmt.Printf("formats/proof: entry %d is in the log\n", parsed.Index)
}

func hashOf(b []byte) (h tlog.Hash) {
	copy(h[:], b)
	return h
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}
