// Package userpool represents the state of a user pool and plans writes to it. It is pure: it makes no calls and
// imports no SDK.
//
// A pool consists of a few documents, each with one call that reads it and one call that writes it as a whole. They are
// stored as the raw JSON of the response, and a write sends raw JSON, so that unknown members are not lost.
//
// The tables of package baseline describe the members and list the combinations of settings that the API rejects. The
// package never decides whether to write: it plans the writes for given drifts, and reports the drifts that it cannot
// fix, with reasons.
package userpool

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
)

// A State has the documents that were read of one pool: each is the raw JSON object of its response, without the
// secrets of clients. A document that was not requested is missing. A document is nil if the pool does not offer it at
// present, such as the risk configuration while threat protection is off.
type State struct {
	ID        string
	Documents map[baseline.DocumentName]map[string]any
	Clients   []baseline.ClientIdentity // clients with requested documents
}

// Has reports whether everything was read that is needed to compare and write the document. UserPool also needs
// MfaConfig, because UpdateUserPool sends a part of it.
func (s State) Has(name baseline.DocumentName) bool {
	_, read := s.Documents[name]
	_, both := s.Documents[baseline.MfaConfig]
	return read && (both || name != baseline.UserPool)
}

// Focus returns the state with only the documents of the pool itself and the named ones. A pool may have a thousand
// clients, and each is compared separately.
func (s State) Focus(names []baseline.DocumentName) State {
	focused := State{ID: s.ID, Documents: make(map[baseline.DocumentName]map[string]any, len(names)+4)}
	ofPool := []baseline.DocumentName{baseline.UserPool, baseline.MfaConfig, baseline.RiskConfiguration,
		baseline.LogDelivery}
	for _, name := range slices.Concat(ofPool, names) {
		if document, read := s.Documents[name]; read {
			focused.Documents[name] = document
		}
	}
	for _, client := range s.Clients {
		if slices.ContainsFunc(names, func(n baseline.DocumentName) bool { return n.Client() == client.ID }) {
			focused.Clients = append(focused.Clients, client)
		}
	}
	return focused
}

// Off reports whether the pool does not offer the document at present.
func (s State) Off(name baseline.DocumentName) bool {
	object, ok := s.Documents[name]
	return ok && object == nil
}

// Names returns the names of the documents that were read, in the order of the table: those of the pool, then those of
// each client.
func (s State) Names() []baseline.DocumentName { return namesOf(s.Documents) }

func namesOf(docs map[baseline.DocumentName]map[string]any) []baseline.DocumentName {
	place := func(n baseline.DocumentName) int {
		return slices.IndexFunc(baseline.Documents(), func(d baseline.Document) bool { return d.Name == n.Kind() })
	}
	names := slices.AppendSeq(make([]baseline.DocumentName, 0, len(docs)), maps.Keys(docs))
	slices.SortFunc(names, func(a, b baseline.DocumentName) int {
		return cmp.Or(strings.Compare(a.Client(), b.Client()), place(a)-place(b))
	})
	return names
}

// Offered returns the names of the documents that were read and that exist with the tier and settings of the pool.
func (s State) Offered() []baseline.DocumentName { return slices.DeleteFunc(s.Names(), s.Off) }

// Identity returns the properties that the rules of a baseline use to select pools and clients.
func (s State) Identity() baseline.Identity {
	pool := s.Documents[baseline.UserPool]
	id := baseline.Identity{ID: s.ID, Tags: map[string]string{}}
	id.Name, _ = pool["Name"].(string)
	tags, _ := pool["UserPoolTags"].(map[string]any)
	for k, v := range tags {
		if text, ok := v.(string); ok {
			id.Tags[k] = text
		}
	}
	id.Clients = slices.Clone(s.Clients)
	for i, client := range id.Clients { // the name in the document is newer than the one in the list of clients
		if name, ok := s.Documents[baseline.AppClient.Of(client.ID)]["ClientName"].(string); ok {
			id.Clients[i].Name = name
		}
	}
	return id
}

// Settings returns the settings of the pool for baseline.Compare, by the paths that a baseline uses. They share their
// values with the state; do not change them.
func (s State) Settings() map[string]any { return s.written().flat() }

// Own is like Settings, but without the risk configurations that clients inherit from the pool.
func (s State) Own() map[string]any {
	return s.written().only(func(name baseline.DocumentName) bool { return !s.Inherits(name) }).flat()
}

// Lacks returns the drifts whose setting the pool no longer has.
func (s State) Lacks(drifts []baseline.Drift) []baseline.Drift {
	return slices.DeleteFunc(slices.Clone(drifts), func(d baseline.Drift) bool {
		return !baseline.Empty(s.written().get(d.Setting))
	})
}

// RestoresOf returns drifts that restore the settings to their values in this state.
func (s State) RestoresOf(settings []string) []baseline.Drift {
	var drifts []baseline.Drift
	for _, setting := range settings {
		if v := s.written().get(setting); v != nil {
			drifts = append(drifts, baseline.Drift{Setting: setting, Action: baseline.Write, Value: baseline.Clone(v)})
		}
	}
	return drifts
}

// Alike reports whether a setting has the same value in both states, or is absent in both.
func (s State) Alike(other State, setting string) bool {
	return same(s.written().get(setting), other.written().get(setting))
}

// Leaves returns the normalized non-empty leaves of the state by path, for comparing two states. It includes unknown
// members, but not members that no call writes.
func (s State) Leaves() map[string]string { return s.written().leaves() }

// Digest returns "sha256:" and the hash, in hex, of everything that a write can change. The order of members does not
// matter. Values that change without a call, such as the estimated number of users, are not included.
func (s State) Digest() string {
	raw, _ := json.Marshal(s.written()) // never fails; keys are sorted, numbers keep their text
	return fmt.Sprintf("sha256:%x", sha256.Sum256(raw))
}

// A Want lists the documents to read of a pool.
type Want struct {
	// Documents are the documents of the pool. The one with its name and tags is always read.
	Documents []baseline.DocumentName
	// Clients returns the documents to read of a client. If it is nil, clients are not read or listed.
	Clients func(pool baseline.Identity, client baseline.ClientIdentity) []baseline.DocumentName
}

// Everything is a Want for all documents of a pool and of its clients.
func Everything() Want {
	var w Want
	var ofClient []baseline.DocumentName
	for _, table := range baseline.Documents() {
		if table.PerClient {
			ofClient = append(ofClient, table.Name)
		} else {
			w.Documents = append(w.Documents, table.Name)
		}
	}
	w.Clients = func(baseline.Identity, baseline.ClientIdentity) []baseline.DocumentName { return ofClient }
	return w
}

// A Backup is the raw state of a pool at one time: all documents that were read. It contains message texts and external
// ids, so only its owner may read the file.
type Backup struct {
	Format     string                                   `json:"format"`
	Version    int                                      `json:"version"`
	UserPoolID string                                   `json:"userPoolId"`
	Taken      time.Time                                `json:"taken"`
	Documents  map[baseline.DocumentName]map[string]any `json:"documents"`
	// Whole means that everything was read: a document that is missing in the backup did not exist.
	Whole bool `json:"whole,omitempty"`
}

const backupFormat = "poolkeeper backup"

// NewBackup returns the state as a backup.
func NewBackup(s State, taken time.Time) Backup {
	return Backup{Format: backupFormat, Version: 1, UserPoolID: s.ID, Taken: taken.UTC(), Documents: s.Documents}
}

// Encode returns the backup as JSON, with all values as the service returned them.
func (b Backup) Encode() []byte {
	var raw bytes.Buffer
	_ = json.Indent(&raw, Encode(b), "", "  ") // what was encoded is valid
	raw.WriteByte('\n')
	return raw.Bytes()
}

// DecodeBackup decodes a backup.
func DecodeBackup(raw []byte) (Backup, error) {
	var b Backup
	_, err := DecodeObject(raw) // rejects what json.Decoder accepts silently, such as a duplicate member
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err = cmp.Or(err, decoder.Decode(&b)); err != nil {
		return b, fmt.Errorf("reading the backup: %w", err)
	}
	if b.Format != backupFormat || b.Version != 1 || b.UserPoolID == "" {
		return b, errors.New("reading the backup: it is not a backup of this format version")
	}
	for _, name := range []baseline.DocumentName{baseline.UserPool, baseline.MfaConfig} {
		if len(b.Documents[name]) == 0 && (b.Whole || name == baseline.UserPool) { // which every backup has
			return b, fmt.Errorf("reading the backup: the document %s is missing", name)
		}
	}
	for name := range b.Documents {
		if _, ok := name.Table(); !ok {
			return b, fmt.Errorf("reading the backup: unknown document %s", name)
		}
	}
	return b, nil
}

// Want returns the documents to read: those in the backup.
func (b Backup) Want() Want {
	if b.Whole {
		return Everything()
	}
	w, ofClients := Want{}, map[string][]baseline.DocumentName{}
	for _, name := range b.State().Names() {
		client := name.Client()
		if client == "" {
			w.Documents = append(w.Documents, name)
			continue
		}
		ofClients[client] = append(ofClients[client], name.Kind())
		w.Clients = func(_ baseline.Identity, client baseline.ClientIdentity) []baseline.DocumentName {
			return ofClients[client.ID]
		}
	}
	return w
}

// State returns the state that was saved.
func (b Backup) State() State {
	s := State{ID: b.UserPoolID, Documents: b.Documents}
	for _, name := range s.Names() {
		if name.Kind() == baseline.AppClient {
			s.Clients = append(s.Clients, baseline.ClientIdentity{ID: name.Client()}) // Identity adds the name
		}
	}
	return s
}

// Unwritable returns the members that differ from the other state but that no call writes, such as
// "UserPool.SchemaAttributes", in the order of the table. It leaves out members that change without a call. It includes
// clients that only one of the states has.
func (s State) Unwritable(other State) []string {
	var differ []string
	all := maps.Clone(s.Documents)
	maps.Copy(all, other.Documents)
	for _, name := range namesOf(all) {
		mine, others := s.Documents[name], other.Documents[name]
		if name.Kind() == baseline.AppClient && (mine == nil || others == nil) {
			differ = append(differ, string(name))
			continue
		}
		table, _ := name.Table()
		for _, m := range table.Members {
			// What another member of the write call shows comes and goes with that one, and a document that either state
			// does not offer depends on threat protection.
			shown := slices.ContainsFunc(table.Members, func(by baseline.Member) bool { return by.ShownBy == m.Name })
			comes := shown && (mine[m.Name] == nil) != (others[m.Name] == nil) || mine == nil || others == nil
			if !comes && m.Trip == baseline.ReadOnly && !volatile[m.Name] && !same(mine[m.Name], others[m.Name]) {
				differ = append(differ, string(name)+"."+m.Name)
			}
		}
		for _, path := range unknownMembers(name, mine) {
			member := strings.TrimPrefix(path, cmp.Or(name.Prefix(), string(name)+"."))
			// A part of an object is written with it.
			if !strings.Contains(member, ".") && !same(mine[member], others[member]) {
				differ = append(differ, string(name)+"."+member)
			}
		}
	}
	return differ
}

// volatile are the members that change without a call or with every call.
var volatile = map[string]bool{
	"CreationDate": true, "LastModifiedDate": true, "EstimatedNumberOfUsers": true, "Status": true,
	"EmailConfigurationFailure": true, "SmsConfigurationFailure": true,
	"UserPoolId": true, // shown beside a log delivery configuration that was set once
	"ClientId":   true, // shown beside a risk configuration of the client's own
}
