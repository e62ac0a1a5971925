package cognito

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// Read reads the requested documents of a pool, in parallel if possible. Which clients are needed is known only after
// the pool was read. Errors are of type *Error.
func (c *Client) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
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
	state, err := c.readPool(ctx, id, want.Documents)
	if err != nil || listed == nil {
		return state, err
	}
	if err := <-listed; err != nil {
		return userpool.State{}, err
	}
	pool := state.Identity()
	var wanted []baseline.DocumentName
	for _, client := range clients {
		kinds := want.Clients(pool, client)
		for _, kind := range kinds {
			wanted = append(wanted, kind.Of(client.ID))
		}
		if len(kinds) > 0 {
			state.Clients = append(state.Clients, client)
		}
	}
	return c.readClients(ctx, state, wanted)
}

// readPool reads the document UserPool and the other named documents.
func (c *Client) readPool(ctx context.Context, id string, wanted []baseline.DocumentName) (userpool.State, error) {
	const mfa = "MfaConfiguration"
	names := []baseline.DocumentName{baseline.UserPool}
	for _, name := range wanted {
		if name != baseline.UserPool {
			names = append(names, name)
		}
	}
	docs, err := c.readAll(ctx, id, names)
	if err != nil {
		return userpool.State{}, err
	}
	config, read := docs[baseline.MfaConfig]
	if mode, _ := docs[baseline.UserPool][mfa].(string); read && mode != "" && mode != "OFF" && config[mfa] == nil {
		return userpool.State{}, &Error{Call: "GetUserPoolMfaConfig", Class: ClassOdd,
			Message: "the response has no MfaConfiguration, but DescribeUserPool returned " + mode}
	}
	if config[mfa] == nil || config[mfa] == "OFF" {
		// The service also returns the pool's SMS sender here, even if SMS is not an MFA factor. Written back, it would
		// become one.
		if docs[baseline.UserPool]["SmsConfiguration"] != nil {
			delete(config, "SmsMfaConfiguration")
		}
	}
	return userpool.State{ID: id, Documents: docs}, nil
}

// readClients adds the documents of clients to the state. A client that was deleted during the read is left out
// completely. If a deleted client is still listed, that is an error: a client that cannot be read must not count as
// compliant.
func (c *Client) readClients(ctx context.Context, state userpool.State, wanted []baseline.DocumentName,
) (userpool.State, error) {
	docs, err := c.readAll(ctx, state.ID, wanted)
	if err != nil {
		return userpool.State{}, err
	}
	maps.Copy(state.Documents, docs)
	gone := map[string]bool{}
	for _, name := range wanted {
		if _, read := docs[name]; !read {
			gone[name.Client()] = true
		}
	}
	if len(gone) == 0 {
		return state, nil
	}
	is := func(client baseline.ClientIdentity) bool { return gone[client.ID] }
	clients, err := c.listClients(ctx, state.ID)
	if err == nil && slices.ContainsFunc(clients, is) {
		err = &Error{Call: "DescribeUserPoolClient", Class: ClassOdd, Message: "a listed client does not exist"}
	}
	if err != nil {
		return userpool.State{}, err
	}
	state.Clients = slices.DeleteFunc(state.Clients, is)
	maps.DeleteFunc(state.Documents, func(n baseline.DocumentName, _ map[string]any) bool { return gone[n.Client()] })
	return state, nil
}

// readAll reads the documents in parallel. It leaves out clients that no longer exist. It returns the first error, and
// starts no further reads after it.
func (c *Client) readAll(
	ctx context.Context, id string, names []baseline.DocumentName,
) (map[baseline.DocumentName]map[string]any, error) {
	waiting, giveUp := context.WithCancel(ctx)
	defer giveUp()
	docs, first := map[baseline.DocumentName]map[string]any{}, error(nil)
	var mutex sync.Mutex
	var reading sync.WaitGroup
	for _, name := range names {
		table, _ := name.Table()
		slot := c.limits.reserve(id, table.ReadCall)
		reading.Go(func() {
			object, err := map[string]any(nil), c.await(waiting, slot)
			if err == nil {
				object, err = c.read(ctx, id, name)
			} else {
				err = classify(table.ReadCall, err, nil)
			}
			mutex.Lock()
			defer mutex.Unlock()
			switch {
			case err == nil:
				docs[name] = object
			case !gone(name, err) && first == nil:
				first = err
				giveUp()
			}
		})
	}
	reading.Wait()
	if first != nil {
		return nil, first
	}
	return docs, nil
}

// gone reports whether the error means that there is no such client.
func gone(name baseline.DocumentName, err error) bool {
	return ClassOf(err) == ClassGone && name.Client() != ""
}

// Document reads one document of a pool. It returns nil if the pool does not offer the document at present. Errors are
// of type *Error.
func (c *Client) Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	table, _ := name.Table()
	if err := c.await(ctx, c.limits.reserve(id, table.ReadCall)); err != nil {
		return nil, classify(table.ReadCall, err, nil)
	}
	return c.read(ctx, id, name)
}

// read reads one document. It returns nil if the pool does not offer the document at present.
func (c *Client) read(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	table, _ := name.Table()
	object, found, err := c.answer(ctx, id, name, table)
	if err == nil && !found && table.Optional {
		// A response without the document means that the pool has none. Read it twice to be sure, because a write would
		// replace the whole document.
		object, found, err = c.answer(ctx, id, name, table)
	}
	switch {
	case err != nil && err.Class == ClassOff:
		return nil, nil
	case err != nil:
		return nil, err
	case !found && !table.Optional:
		return nil, lacksDocument(table)
	}
	if what := stranger(object, name, id); what != "" {
		return nil, &Error{Call: table.ReadCall, Class: ClassOdd, Message: "the response is for another " + what}
	}
	c.secrets.learn(id, userpool.Secrets(name, object))
	userpool.KeyLists(table.Members, object)
	if object["ClientSecret"] != nil {
		// Drop the secret of a client: nothing needs it, and so it cannot leak. Only a client with a secret can publish it.
		delete(object, "ClientSecret")
		object["PublishSecretsInAWSSecretsManager"] = false
	}
	return object, nil
}

func lacksDocument(table baseline.Document) *Error {
	return &Error{Call: table.ReadCall, Class: ClassOdd, Message: "the response has no " + table.Answer}
}

// answer makes the read call and returns the document in the response. found is false if the response has none.
func (c *Client) answer(
	ctx context.Context, id string, name baseline.DocumentName, table baseline.Document,
) (object map[string]any, found bool, failed *Error) {
	var raw []byte
	var requestID string
	err := c.call(ctx, table.ReadCall, id, name, func(o *idp.Options) {
		o.APIOptions = append(o.APIOptions, capture(&raw, &requestID))
	})
	if err != nil {
		return nil, false, c.failed(table.ReadCall, id, err, name, nil)
	}
	whole, err := userpool.DecodeObject(raw)
	if err != nil {
		message := "the response is not a JSON object: " + err.Error()
		return nil, false, &Error{Call: table.ReadCall, Class: ClassOdd, Message: message}
	}
	if table.Answer == "" {
		return whole, true, nil
	}
	object, found = whole[table.Answer].(map[string]any)
	if !found && whole[table.Answer] != nil {
		return nil, false, lacksDocument(table)
	}
	if !found {
		object = map[string]any{}
	}
	return object, found, nil
}

// stranger returns "pool" or "client" if a document names another one than requested, or "". The documents UserPool and
// AppClient must have their id; in the others it may be missing.
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

const (
	// clientPage is the largest page size of ListUserPoolClients.
	clientPage = 60
	// maxClientPages is far more than a pool can have.
	maxClientPages = 1000
)

// listClients returns the ids and names of all clients of a pool.
func (c *Client) listClients(ctx context.Context, id string) ([]baseline.ClientIdentity, error) {
	const call = "ListUserPoolClients"
	var all []baseline.ClientIdentity
	var token *string
	confirmed := false
	for range maxClientPages {
		if err := c.await(ctx, c.limits.reserve(id, call)); err != nil {
			return nil, classify(call, err, nil)
		}
		in := &idp.ListUserPoolClientsInput{UserPoolId: aws.String(id), MaxResults: aws.Int32(clientPage), NextToken: token}
		out, err := c.sdk.ListUserPoolClients(ctx, in)
		if err != nil {
			return nil, c.failed(call, id, err, "", nil)
		}
		if out.UserPoolClients == nil && !confirmed {
			confirmed = true // a response without a list means that there are no clients: read it twice to be sure
			continue
		}
		for _, client := range out.UserPoolClients {
			found := baseline.ClientIdentity{ID: aws.ToString(client.ClientId), Name: aws.ToString(client.ClientName)}
			all = append(all, found)
		}
		switch next := aws.ToString(out.NextToken); next {
		case "":
			return all, nil
		case aws.ToString(token):
			return nil, sameToken(call)
		}
		token = out.NextToken
	}
	return nil, &Error{Call: call, Class: ClassOdd, Message: "the list of clients has too many pages"}
}
