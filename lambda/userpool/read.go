package userpool

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
)

// A Want says what to read of a pool.
type Want struct {
	// Documents are those of the pool. The one that names and tags it is always read.
	Documents []baseline.DocumentName
	// Clients returns the documents to read of a client; nil asks for no clients, and then they are not even listed.
	Clients func(pool baseline.Identity, client baseline.ClientIdentity) []baseline.DocumentName
}

// Everything wants all that there is to read of a pool.
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

// Read reads what is wanted of a pool, all at once as far as it can be: which clients are wanted is known only when the pool is. Errors are of type *Error.
func (c *Client) Read(ctx context.Context, id string, want Want) (State, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var clients []baseline.ClientIdentity
	var listed chan error
	if want.Clients != nil {
		listed = make(chan error, 1)
		go func() {
			var err error
			clients, err = c.listClients(ctx, id)
			listed <- err
		}()
	}
	names := []baseline.DocumentName{baseline.UserPool}
	for _, name := range want.Documents {
		if name != baseline.UserPool {
			names = append(names, name)
		}
	}
	state := State{ID: id}
	var err error
	if state.Documents, err = c.readAll(ctx, id, names); err != nil {
		return State{}, err
	}
	mode, read := state.Documents[baseline.MfaConfig]
	if shown, _ := state.Documents[baseline.UserPool][mfa].(string); read && shown != "" && shown != "OFF" && mode[mfa] == nil {
		return State{}, &Error{Call: "GetUserPoolMfaConfig", Class: ClassOdd,
			Message: "the answer has no MfaConfiguration, while DescribeUserPool shows " + shown}
	}
	if listed == nil {
		return state, nil
	}
	if err := <-listed; err != nil {
		return State{}, err
	}
	pool := state.Identity()
	ofClients := map[baseline.DocumentName][]baseline.DocumentName{}
	for _, client := range clients {
		kinds := want.Clients(pool, client)
		for _, kind := range kinds {
			ofClients[kind] = append(ofClients[kind], kind.Of(client.ID))
		}
		if len(kinds) > 0 {
			state.Clients = append(state.Clients, client)
		}
	}
	return c.readClients(ctx, state, ofClients)
}

// readClients adds the documents of clients to the state, each kind by a call of its own, side by side.
func (c *Client) readClients(ctx context.Context, state State, names map[baseline.DocumentName][]baseline.DocumentName) (State, error) {
	type answer struct {
		docs map[baseline.DocumentName]map[string]any
		err  error
	}
	answers := make(chan answer, len(names))
	for _, some := range names {
		go func() {
			docs, err := c.readAll(ctx, state.ID, some)
			answers <- answer{docs, err}
		}()
	}
	var first error
	for range names {
		a := <-answers
		if first == nil {
			first = a.err
		}
		maps.Copy(state.Documents, a.docs)
	}
	if first != nil {
		return State{}, first
	}
	if err := c.believeGone(ctx, state, names); err != nil {
		return State{}, err
	}
	// A client that went while it was read is no client of the pool, whatever was read of it before it went.
	went := map[string]bool{}
	for _, some := range names {
		for _, name := range some {
			if _, read := state.Documents[name]; !read {
				went[name.Client()] = true
			}
		}
	}
	state.Clients = slices.DeleteFunc(state.Clients, func(client baseline.ClientIdentity) bool { return went[client.ID] })
	maps.DeleteFunc(state.Documents, func(name baseline.DocumentName, _ map[string]any) bool { return went[name.Client()] })
	return state, nil
}

// believeGone fails if a document of a client is said to be gone while the client is still listed: what is not seen is not compared, and would count as right.
func (c *Client) believeGone(ctx context.Context, state State, names map[baseline.DocumentName][]baseline.DocumentName) error {
	var gone []baseline.DocumentName
	for _, some := range names {
		gone = append(gone, slices.DeleteFunc(slices.Clone(some), func(n baseline.DocumentName) bool { _, is := state.Documents[n]; return is })...)
	}
	if len(gone) == 0 {
		return nil
	}
	clients, err := c.listClients(ctx, state.ID)
	if err != nil {
		return err
	}
	for _, name := range gone {
		table, _ := name.Table()
		if slices.ContainsFunc(clients, func(client baseline.ClientIdentity) bool { return client.ID == name.Client() }) {
			return &Error{Call: table.ReadCall, Class: ClassOdd, Message: "client " + name.Client() + " is said to be gone, and is listed"}
		}
	}
	return nil
}

// readAll reads the documents side by side. A client that is gone by now is left out. The first error of the first document counts; after one, no read begins that still waits
// for its turn.
func (c *Client) readAll(ctx context.Context, id string, names []baseline.DocumentName) (map[baseline.DocumentName]map[string]any, error) {
	waiting, give := context.WithCancel(ctx)
	defer give()
	objects, errs, unread := make([]map[string]any, len(names)), make([]error, len(names)), make([]bool, len(names))
	var reading sync.WaitGroup
	for i, name := range names {
		table, _ := name.Table()
		wait := c.turn(id, table.ReadCall)
		reading.Go(func() {
			if err := c.Sleep(waiting, wait); err != nil {
				errs[i], unread[i] = classify(table.ReadCall, err, nil), true
				return
			}
			if objects[i], errs[i] = c.read(ctx, id, name); errs[i] != nil && !gone(name, errs[i]) {
				give()
			}
		})
	}
	reading.Wait()
	docs := map[baseline.DocumentName]map[string]any{}
	var late error
	for i, name := range names {
		switch {
		case gone(name, errs[i]):
		case unread[i]:
			late = cmp.Or(late, errs[i])
		case errs[i] != nil:
			return nil, errs[i]
		default:
			docs[name] = objects[i]
		}
	}
	return docs, late
}

// gone says whether the error is that there is no such client.
func gone(name baseline.DocumentName, err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Class == ClassGone && name.Client() != ""
}

// Document reads one document of a pool again, in its turn. It is nil where the pool does not offer it for now. Errors are of type *Error.
func (c *Client) Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	table, _ := name.Table()
	if err := c.Sleep(ctx, c.turn(id, table.ReadCall)); err != nil {
		return nil, classify(table.ReadCall, err, nil)
	}
	return c.read(ctx, id, name)
}

// read reads one document. A document that the pool does not offer for now is nil.
func (c *Client) read(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	table, _ := name.Table()
	object, found, err := c.answer(ctx, id, name, table)
	if err == nil && !found && table.Optional {
		// That a pool never had such a document is said by silence. It is believed when it is said twice: what is written on it would be all that is left.
		object, found, err = c.answer(ctx, id, name, table)
	}
	switch {
	case err != nil && err.Class == ClassOff:
		return nil, nil
	case err != nil:
		return nil, err
	case !found && !table.Optional:
		return nil, &Error{Call: table.ReadCall, Class: ClassOdd, Message: "the answer has no " + table.Answer + ": it is not this pool's"}
	}
	if what := stranger(object, name, id); what != "" {
		return nil, &Error{Call: table.ReadCall, Class: ClassOdd, Message: "the answer is not this " + what + "'s"}
	}
	keyed(table.Members, object)
	// The secret of a client is of no use here, and what is not there cannot leak.
	delete(object, "ClientSecret")
	return object, nil
}

// answer makes the read call and returns the document in its answer; found is false where the answer has none.
func (c *Client) answer(ctx context.Context, id string, name baseline.DocumentName, table baseline.Document) (object map[string]any, found bool, failed *Error) {
	var raw []byte
	if _, err := c.call(ctx, table.ReadCall, id, name, func(o *cognito.Options) { o.APIOptions = append(o.APIOptions, capture(&raw)) }); err != nil {
		return nil, false, classify(table.ReadCall, err, nil)
	}
	whole, err := decode(raw)
	if err != nil {
		return nil, false, &Error{Call: table.ReadCall, Class: ClassOdd, Message: "the answer is no JSON object: " + err.Error()}
	}
	if table.Answer == "" {
		return whole, true, nil
	}
	object, found = whole[table.Answer].(map[string]any)
	if !found && whole[table.Answer] != nil {
		return nil, false, &Error{Call: table.ReadCall, Class: ClassOdd, Message: "the answer has no " + table.Answer + ": it is not this pool's"}
	}
	if !found {
		object = map[string]any{}
	}
	return object, found, nil
}

// stranger says of what a document names another than was asked for, pool or client, or "": it must never be taken for this one's. The pool and the clients themselves have
// to name it; the other documents may leave it out.
func stranger(object map[string]any, name baseline.DocumentName, id string) string {
	differs := func(member, want string, must bool) bool {
		v, named := object[member]
		return v != want && (must || named && v != nil)
	}
	switch {
	case name == baseline.UserPool && differs("Id", id, true), differs("UserPoolId", id, false):
		return "pool"
	case name.Client() != "" && differs("ClientId", name.Client(), name.Kind() == baseline.AppClient):
		return "client"
	default:
		return ""
	}
}

// clientPage is the largest page that ListUserPoolClients gives.
const clientPage = 60

// listClients returns the ids and names of all clients of a pool.
func (c *Client) listClients(ctx context.Context, id string) ([]baseline.ClientIdentity, error) {
	var all []baseline.ClientIdentity
	silent := false
	for token := (*string)(nil); ; {
		if err := c.Sleep(ctx, c.turn(id, "ListUserPoolClients")); err != nil {
			return nil, classify("ListUserPoolClients", err, nil)
		}
		out, err := c.api.ListUserPoolClients(ctx, &cognito.ListUserPoolClientsInput{UserPoolId: aws.String(id), MaxResults: aws.Int32(clientPage), NextToken: token})
		if err != nil {
			return nil, classify("ListUserPoolClients", err, nil)
		}
		if out.UserPoolClients == nil && !silent {
			silent = true // that there are no clients is believed when it is said twice
			continue
		}
		for _, client := range out.UserPoolClients {
			all = append(all, baseline.ClientIdentity{ID: aws.ToString(client.ClientId), Name: aws.ToString(client.ClientName)})
		}
		if token = out.NextToken; aws.ToString(token) == "" {
			return all, nil
		}
	}
}
