import { BUNDLE_PATHS } from '../domain/bundle-format.js';

/**
 * Part of `VERIFY.md`: checks all proofs of a bundle with the packages of the Go team, and cosignatures and policy, where
 * there are any, with those of transparency.dev. No code of ours.
 */
export function logCheckProgram(isWitnessed: boolean): string {
  return `package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
${isWitnessed ? WITNESS_IMPORTS : ''}
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func read(path string) []byte {
	data, err := os.ReadFile(path)
	check(err)
	return data
}

func check(err error) {
	if err != nil {
		log.Fatal("NOT VERIFIED: ", err)
	}
}

func hash(text string) (h tlog.Hash) {
	raw, err := base64.StdEncoding.DecodeString(text)
	check(err)
	if copy(h[:], raw) != len(h) {
		log.Fatal("NOT VERIFIED: a hash is too short")
	}
	return h
}

func main() {
	key, err := note.NewVerifier(strings.TrimSpace(string(read("${BUNDLE_PATHS.vkey}"))))
	check(err)
	checkpoint := read("${BUNDLE_PATHS.checkpoint}")
	signed, err := note.Open(checkpoint, note.VerifierList(key))
	check(err)
${isWitnessed ? '	checkWitnesses(checkpoint, key)\n' : ''}	head := strings.Split(signed.Text, "\\n")
	if head[0] != key.Name() {
		log.Fatal("NOT VERIFIED: the tree head of another log")
	}
	size, err := strconv.ParseInt(head[1], 10, 64)
	check(err)
	proofs, err := filepath.Glob("proofs/*.tlog-proof")
	check(err)
	for _, path := range proofs {
		lines, proofCheckpoint, _ := bytes.Cut(read(path), []byte("\\n\\n"))
		if !bytes.Equal(proofCheckpoint, checkpoint) {
			log.Fatal("NOT VERIFIED: another tree head in ", path)
		}
		fields := strings.Split(string(lines), "\\n")
		index, err := strconv.ParseInt(strings.TrimPrefix(fields[1], "index "), 10, 64)
		check(err)
		var proof tlog.RecordProof
		for _, line := range fields[2:] {
			proof = append(proof, hash(line))
		}
		leaf := tlog.RecordHash(read(fmt.Sprintf("entries/%d.json", index)))
		check(tlog.CheckRecord(proof, size, hash(head[2]), index, leaf))
		fmt.Println("entry", index, "is in the log of", key.Name(), "with", size, "entries")
	}
}
${isWitnessed ? CHECK_WITNESSES : ''}`;
}

const WITNESS_IMPORTS = `
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"`;

const CHECK_WITNESSES = `
func checkWitnesses(checkpoint []byte, logKey note.Verifier) {
	policy := read("${BUNDLE_PATHS.policy}")
	names := map[string]string{}
	verifiers := []note.Verifier{logKey}
	for _, line := range strings.Split(string(policy), "\\n") {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "witness" {
			witness, err := fnote.NewVerifierForCosignatureV1(fields[2])
			check(err)
			names[fmt.Sprintf("%s+%08x", witness.Name(), witness.KeyHash())] = fields[1]
			verifiers = append(verifiers, witness)
		}
	}
	// A signature by one of these keys that does not verify fails the whole note.
	signed, err := note.Open(checkpoint, note.VerifierList(verifiers...))
	check(err)
	for _, signature := range signed.Sigs {
		if name, ok := names[fmt.Sprintf("%s+%08x", signature.Name, signature.Hash)]; ok {
			at, err := fnote.CoSigV1Timestamp(signature)
			check(err)
			fmt.Println("witness", name, "saw this log at", at.UTC())
		}
	}
	group, err := tessera.NewWitnessGroupFromPolicy(policy)
	check(err)
	if group.Satisfied(checkpoint) {
		fmt.Println("the witness policy is met")
	} else {
		fmt.Println("NOT PROVED: the witness policy is not met")
	}
}
`;
