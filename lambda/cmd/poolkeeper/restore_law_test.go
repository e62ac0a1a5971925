package main

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/userpool"
)

// drawCalls makes some calls of others about the served pool: each sends the document as it is shown, or as a rich pool
// has it, of which some members are left out or have other values. What the fake refuses changes nothing.
func drawCalls(t *rapid.T, fake *cognitotest.Server) {
	rich := cognitotest.New(cognitotest.Contract)
	rich.PutRich(servedPool)
	for range rapid.IntRange(1, 4).Draw(t, "calls") {
		from := rapid.SampledFrom([]*cognitotest.Server{fake, fake, rich}).Draw(t, "document")
		client := rapid.SampledFrom([]string{cognitotest.RichClient, "mobile"}).Draw(t, "client")
		operation := rapid.SampledFrom([]string{"UpdateUserPool", "UpdateUserPool", "UpdateUserPool",
			"SetUserPoolMfaConfig", "SetUserPoolMfaConfig", "SetUserPoolMfaConfig", "SetRiskConfiguration",
			"SetRiskConfiguration", "UpdateUserPoolClient", "SetLogDeliveryConfiguration"}).Draw(t, "call")
		pool, mfa, _ := from.Pool(servedPool)
		request := map[string]any{}
		switch operation {
		case "UpdateUserPool":
			request = drawRequest(t, baseline.UserPool, pool)
		case "SetUserPoolMfaConfig":
			request = drawRequest(t, baseline.MfaConfig, mfa)
		case "SetRiskConfiguration":
			of := rapid.SampledFrom([]string{"", client}).Draw(t, "risk of")
			if request = drawRequest(t, baseline.RiskConfiguration, from.Risk(servedPool, of)); of != "" {
				request["ClientId"] = of
			}
		case "UpdateUserPoolClient":
			if rapid.IntRange(0, 9).Draw(t, "delete") == 0 {
				operation = "DeleteUserPoolClient"
			} else {
				request = drawRequest(t, baseline.AppClient, from.Client(servedPool, client))
			}
			request["ClientId"] = client
		default:
			unlogged := func(any) bool { return rapid.Bool().Draw(t, "no log") }
			request["LogConfigurations"] = append([]any{}, slices.DeleteFunc(from.Logs(servedPool), unlogged)...)
		}
		request["UserPoolId"] = servedPool
		t.Log(operation, request["ClientId"], call(fake, operation, request))
	}
}

func drawRequest(t *rapid.T, name baseline.DocumentName, shown map[string]any) map[string]any {
	table, _ := name.Table()
	request := map[string]any{}
	if rapid.IntRange(0, 9).Draw(t, "one member alone") == 0 {
		m := rapid.SampledFrom(table.Members).Draw(t, "member")
		drawMember(t, m, m.Name, shown, request, 1)
		return request
	}
	for _, m := range table.Members {
		drawMember(t, m, m.Name, shown, request, 12)
	}
	policies, _ := request["Policies"].(map[string]any)
	if password, ok := policies["PasswordPolicy"].(map[string]any); ok && password["MinimumLength"] == nil {
		password["MinimumLength"] = json.Number("8") // no pool is without one
	}
	return request
}

// drawMember puts a member into a request: as it is shown, or, one time in so many, otherwise or not at all.
func drawMember(t *rapid.T, m baseline.Member, path string, shown, request map[string]any, oneIn int) {
	v, isShown := shown[m.Name]
	if m.ReadName != "" {
		v, isShown = shown[m.ReadName]
	}
	if m.Trip == baseline.ReadOnly {
		return
	}
	if rapid.IntRange(1, oneIn).Draw(t, path) > 1 {
		if isShown {
			request[m.Name] = v
		}
		return
	}
	switch below, _ := v.(map[string]any); {
	case m.Kind == baseline.Object && rapid.IntRange(0, 3).Draw(t, "in "+path) > 0:
		inner := map[string]any{}
		for _, e := range m.Members {
			drawMember(t, e, path+"."+e.Name, below, inner, 3)
		}
		request[m.Name] = inner
	case rapid.Bool().Draw(t, "no "+path):
	case m.Kind == baseline.Boolean:
		request[m.Name] = v != true
	case len(m.Enum) > 0:
		request[m.Name] = rapid.SampledFrom(m.Enum).Draw(t, "value of "+path)
	case m.Kind == baseline.Integer:
		request[m.Name] = json.Number(rapid.SampledFrom([]string{"6", "7", "13"}).Draw(t, "value of "+path))
	case m.Kind == baseline.List && m.Elem.Kind == baseline.String:
		list, _ := v.([]any)
		request[m.Name] = append([]any{}, list[:len(list)/2]...)
	case m.Kind == baseline.String && m.Pattern == "":
		request[m.Name] = "other"
	case isShown:
		request[m.Name] = v
	}
}

// sameOrSaid demands that the pool is what it was, or that the command says what is not, with exit status 2.
func sameOrSaid(t *rapid.T, before, after map[string]string, status int, printed string) {
	differ := moved(before, after)
	if status != exitDrifted && (status != exitDone || len(differ) > 0) {
		t.Fatalf("exit status %d, and %v differ:\n%s", status, differ, printed)
	}
	for _, path := range differ {
		if !said(path, printed) {
			t.Fatalf("%s is %s, was %s:\n%s", path, after[path], before[path], printed)
		}
	}
}

// said reports whether an output speaks of a path of everything, or of something around it.
func said(path, printed string) bool {
	for of, prefix := range map[string]string{"mfa.": "", "risk.": "RiskConfiguration.", "log ": "LogConfigurations.",
		"client risk.": "Clients[" + cognitotest.RichClient + "].RiskConfiguration.",
		"client.":      "Clients[" + cognitotest.RichClient + "].", "mobile.": "Clients[mobile]."} {
		if rest, ok := strings.CutPrefix(path, of); ok {
			path = prefix + rest
			break
		}
	}
	if path == days {
		printed = strings.ReplaceAll(printed, older, path)
	}
	for at := path; at != ""; at = at[:max(0, strings.LastIndexByte(at, '.'))] {
		if strings.Contains(printed, "unfixable "+at) || strings.Contains(printed, "x "+at) ||
			strings.Contains(printed, "\n  "+at+"\n") {
			return true
		}
	}
	client := strings.NewReplacer("Clients[", "AppClient/", "]", "").Replace(path)
	client, _, _ = strings.Cut(client, ".")
	return strings.Contains(printed, "\n  "+client+"\n")
}

// law checks a law of a pool about which others have made any calls, in both modes of the fake.
func law(t *testing.T, check func(*rapid.T, *cognitotest.Server)) {
	t.Helper()
	rapid.Check(t, func(r *rapid.T) {
		mode := rapid.SampledFrom([]cognitotest.Mode{cognitotest.Contract, cognitotest.Measured}).Draw(r, "mode")
		fake := start(t, mode)
		defer func() { _ = fake.Close() }()
		fake.PutRich(servedPool)
		drawCalls(r, fake)
		check(r, fake)
	})
}

// TestRestoreLaw: after a backup, any calls of others, and a restore, the pool is as in the backup, or what is not is
// said with exit status 2.
func TestRestoreLaw(t *testing.T) {
	dir := t.TempDir()
	law(t, func(r *rapid.T, fake *cognitotest.Server) {
		before := everything(fake, servedPool)
		if err := os.RemoveAll(dir); err != nil {
			r.Fatal(err)
		}
		file := backUp(t, dir)
		drawCalls(r, fake)
		got := execute(t.Context(), "restore --yes --no-backup "+file)
		sameOrSaid(r, before, everything(fake, servedPool), got.status, got.stderr+got.stdout)
	})
}

// TestUndoLaw: after a remediation of any drift and its undo, the pool is what it was, or what is not is said with exit
// status 2.
func TestUndoLaw(t *testing.T) {
	law(t, func(r *rapid.T, fake *cognitotest.Server) {
		required := drawTarget(t, r)
		drawCalls(r, fake)
		before := everything(fake, servedPool)
		printed, err := undone(t, required)
		var status exit
		if err != nil && !errors.As(err, &status) && !strings.Contains(err.Error(), "changed nothing") {
			r.Fatal(err)
		}
		sameOrSaid(r, before, everything(fake, servedPool), int(status), printed)
	})
}

// drawTarget draws a baseline: some settings of the pool as they are now.
func drawTarget(t *testing.T, r *rapid.T) *baseline.Baseline {
	t.Helper()
	pools, err := started(nil, nil, nil).connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state, err := pools.Read(t.Context(), servedPool, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	settings := everySetting()
	var paths []string
	for range rapid.IntRange(1, 6).Draw(r, "settings") {
		path := rapid.SampledFrom(settings).Draw(r, "setting")
		path = strings.Replace(path, baseline.Clients+".", baseline.ClientPath("mobile")+".", 1)
		if !slices.ContainsFunc(paths, func(p string) bool { return userpool.Touches(p, path) }) {
			paths = append(paths, path)
		}
	}
	required, _ := baseline.OfPaths("target", "sha256:t", servedPool, state.Own(), paths)
	return required
}
