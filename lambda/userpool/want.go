package userpool

import "poolkeeper/baseline"

// A Want lists the documents to read of a pool.
type Want struct {
	// Documents are the documents of the pool. The one with its name and tags is always read.
	Documents []baseline.DocumentName
	// Clients returns the documents to read of a client. If it is nil, clients are not read or listed.
	Clients func(pool baseline.Identity, client baseline.ClientIdentity) []baseline.DocumentName
}

// Everything is a Want for all documents of a pool and of its clients.
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
