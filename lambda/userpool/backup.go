package userpool

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"poolkeeper/baseline"
)

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
func (b Backup) Encode() ([]byte, error) {
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(b); err != nil {
		return nil, fmt.Errorf("writing the backup of %s: %w", b.UserPoolID, err)
	}
	return raw.Bytes(), nil
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
		if client := name.Client(); client == "" {
			w.Documents = append(w.Documents, name)
		} else {
			ofClients[client] = append(ofClients[client], name.Kind())
		}
	}
	if len(ofClients) > 0 {
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
			client, _ := b.Documents[name]["ClientName"].(string)
			s.Clients = append(s.Clients, baseline.ClientIdentity{ID: name.Client(), Name: client})
		}
	}
	return s
}

// Unwritable returns the members that differ from the other state but that no call writes, such as
// "UserPool.SchemaAttributes", in the order of the table. It leaves out members that change without a call. It includes
// clients that only the other state has.
func (s State) Unwritable(other State) []string {
	var differ []string
	for _, name := range s.Names() {
		mine, others := s.Documents[name], other.Documents[name]
		table, _ := name.Table()
		if name.Kind() == baseline.AppClient && others == nil {
			differ = append(differ, string(name))
			continue
		}
		for _, m := range table.Members {
			// A document that either state does not offer depends on threat protection.
			offered := mine != nil && others != nil
			// What another member of the write call shows comes and goes with that one.
			shown := slices.ContainsFunc(table.Members, func(by baseline.Member) bool { return by.ShownBy == m.Name })
			if shown && (mine[m.Name] == nil) != (others[m.Name] == nil) {
				continue
			}
			if offered && m.Trip == baseline.ReadOnly && !volatile[m.Name] && !same(mine[m.Name], others[m.Name]) {
				differ = append(differ, string(name)+"."+m.Name)
			}
		}
		for _, path := range unknownMembers(name, mine) {
			member := inDocument(name, path)
			if !same(baseline.ValueAt(mine, member), baseline.ValueAt(others, member)) {
				differ = append(differ, string(name)+"."+member)
			}
		}
	}
	for _, name := range other.Names() {
		if name.Kind() == baseline.AppClient && s.Documents[name] == nil {
			differ = append(differ, string(name))
		}
	}
	return differ
}

// volatile are the members that change without a call or with every call.
var volatile = map[string]bool{
	"CreationDate": true, "LastModifiedDate": true, "EstimatedNumberOfUsers": true, "Status": true,
	"EmailConfigurationFailure": true, "SmsConfigurationFailure": true,
}
