package cognito

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// Read reads the requested documents of a pool, in parallel if possible. Which clients are needed is known only after
// the pool was read. Errors are of type *Error.
func (c *Client) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	state, err := c.read(ctx, id, want)
	if errors.Is(err, errVanished) { // it was perhaps deleted during the read: list the clients again
		state, err = c.read(ctx, id, want)
	}
	return state, err
}

// errVanished means that a client is listed, but cannot be read. Such a client must not count as compliant.
var errVanished = odd("DescribeUserPoolClient", "a listed client does not exist")

func (c *Client) read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var clients []baseline.ClientIdentity
	var unlisted error
	var listing sync.WaitGroup
	if want.Clients != nil {
		listing.Go(func() { clients, unlisted = c.listClients(ctx, id) })
	}
	state, err := c.readPool(ctx, id, want.Documents)
	if err != nil {
		return userpool.State{}, err
	}
	if listing.Wait(); unlisted != nil {
		return userpool.State{}, unlisted
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
	return state, c.readAll(ctx, state, wanted)
}

// readPool reads the document UserPool and the other named documents.
func (c *Client) readPool(ctx context.Context, id string, wanted []baseline.DocumentName) (userpool.State, error) {
	const mfa = "MfaConfiguration"
	names := append([]baseline.DocumentName{baseline.UserPool}, wanted...)
	slices.Sort(names)
	docs := map[baseline.DocumentName]map[string]any{}
	state := userpool.State{ID: id, Documents: docs}
	if err := c.readAll(ctx, state, slices.Compact(names)); err != nil {
		return userpool.State{}, err
	}
	config, read := docs[baseline.MfaConfig]
	if mode, _ := docs[baseline.UserPool][mfa].(string); read && mode != "" && config[mfa] == nil {
		return userpool.State{}, odd("GetUserPoolMfaConfig",
			"the response has no MfaConfiguration, but DescribeUserPool returned %s", mode)
	}
	if off := config[mfa] == nil || config[mfa] == "OFF"; off && docs[baseline.UserPool]["SmsConfiguration"] != nil {
		// The service returns the SMS sender even if SMS is not an MFA factor. Written back, SMS would become one.
		delete(config, "SmsMfaConfiguration")
	}
	return state, nil
}

// readAll adds documents to a state, read in parallel. It returns the first error, and ends the other reads after it.
func (c *Client) readAll(ctx context.Context, state userpool.State, names []baseline.DocumentName) (first error) {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var mutex sync.Mutex
	var reading sync.WaitGroup
	for _, name := range names {
		reading.Go(func() {
			object, err := c.Document(ctx, state.ID, name)
			if ClassOf(err) == ClassGone && name.Client() != "" {
				err = errVanished
			}
			mutex.Lock()
			defer mutex.Unlock()
			if state.Documents[name] = object; err != nil && first == nil {
				first = err
				giveUp()
			}
		})
	}
	reading.Wait()
	return first
}

// Document reads one document. It returns nil if the pool does not offer it at present. Errors are of type *Error.
func (c *Client) Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	table, _ := name.Table()
	if err := c.wait(ctx, id, table.ReadCall); err != nil {
		return nil, err
	}
	object, err := c.answer(ctx, id, name)
	if err == nil && table.Optional && len(object) == 0 {
		// The pool has no such document. Ask twice to be sure, because a write would replace the whole document.
		object, err = c.answer(ctx, id, name)
	}
	switch {
	case ClassOf(err) == ClassOff:
		return nil, nil
	case err != nil:
		return nil, err
	}
	c.mutex.Lock()
	c.secrets[id] = append(c.secrets[id], userpool.Secrets(name, object)...)
	slices.Sort(c.secrets[id])
	c.secrets[id] = slices.Compact(c.secrets[id])
	c.mutex.Unlock()
	userpool.KeyLists(table.Members, object)
	if object["ClientSecret"] != nil {
		// Drop the secret of a client: nothing needs it, and so it cannot leak. Only a client with a secret can publish it.
		delete(object, "ClientSecret")
		object["PublishSecretsInAWSSecretsManager"] = false
	}
	return object, nil
}

// answer makes the read call and returns the document in the response. The documents UserPool and AppClient must have
// their id; in the others it may be missing.
func (c *Client) answer(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	table, _ := name.Table()
	ids := map[string]any{"UserPoolId": id}
	if client := name.Client(); client != "" {
		ids["ClientId"] = client
	}
	response, _, err := Call(ctx, c.sdk, table.ReadCall, userpool.Encode(ids))
	if err != nil {
		return nil, c.failed(table.ReadCall, id, err, name, nil)
	}
	whole, err := userpool.DecodeObject(response)
	if err != nil {
		return nil, odd(table.ReadCall, "the response is not a JSON object: %v", err)
	}
	object, found := whole, true
	if table.Answer != "" {
		object, found = whole[table.Answer].(map[string]any)
	}
	if !found && table.Optional && whole[table.Answer] == nil { // the pool has no such document
		return map[string]any{}, nil
	}
	if !found {
		return nil, odd(table.ReadCall, "the response has no %s", table.Answer)
	}
	if name == baseline.UserPool {
		ids["Id"] = id
	}
	for member, want := range ids {
		required := member == "Id" || member == "ClientId" && name.Kind() == baseline.AppClient
		if v := object[member]; v != want && (v != nil || required) {
			of := map[string]string{"Id": "pool", "UserPoolId": "pool", "ClientId": "client"}[member]
			return nil, odd(table.ReadCall, "the response is for another %s", of)
		}
	}
	return object, nil
}

func (c *Client) listClients(ctx context.Context, id string) ([]baseline.ClientIdentity, error) {
	const call = "ListUserPoolClients"
	in := &idp.ListUserPoolClientsInput{UserPoolId: aws.String(id), MaxResults: aws.Int32(mostListed)}
	var all []baseline.ClientIdentity
	pages, confirmed := Pages{}, false
	for {
		if err := c.wait(ctx, id, call); err != nil {
			return nil, err
		}
		out, err := c.sdk.ListUserPoolClients(ctx, in)
		if err != nil {
			return nil, c.failed(call, id, err, "", nil)
		}
		if out.UserPoolClients == nil && !confirmed {
			confirmed = true // there are no clients: ask twice to be sure
			continue
		}
		for _, client := range out.UserPoolClients {
			found := baseline.ClientIdentity{ID: aws.ToString(client.ClientId), Name: aws.ToString(client.ClientName)}
			if found.ID == "" || strings.Contains(found.ID, "]") { // it could not be the path of a setting
				return nil, odd(call, "%q is not the id of a client", found.ID)
			}
			all = append(all, found)
		}
		if err := pages.Next(aws.ToString(out.NextToken)); err != nil {
			return nil, odd(call, "%v", err)
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return all, nil
		}
	}
}
