package userpool

import "poolkeeper/baseline"

// A Want says what to read of a pool.
type Want struct {
	// Documents are those of the pool. The one that names and tags it is always read.
	Documents []baseline.DocumentName
	// Clients returns the documents to read of a client; nil asks for no clients, and then they are not even listed.
	Clients func(pool baseline.Identity, client baseline.ClientIdentity) []baseline.DocumentName
}

// Everything wants all documents of a pool and of its clients.
func Everything() Want {
	w := Want{}
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
