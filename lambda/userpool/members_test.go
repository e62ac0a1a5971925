package userpool

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"poolkeeper/baseline"
)

// TestTableKnowsTheSDK walks the SDK's types of the calls and holds every member, its name, shape and enum, against the table, both
// ways: what the SDK has must be in the table, and what the table has beyond it must say that it is newer.
func TestTableKnowsTheSDK(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		document    baseline.DocumentName
		read, write reflect.Type
	}{
		{baseline.UserPool, reflect.TypeFor[types.UserPoolType](), reflect.TypeFor[cognito.UpdateUserPoolInput]()},
		{baseline.MfaConfig, reflect.TypeFor[cognito.GetUserPoolMfaConfigOutput](), reflect.TypeFor[cognito.SetUserPoolMfaConfigInput]()},
	} {
		t.Run(string(c.document), func(t *testing.T) {
			t.Parallel()
			table := tableOf(t, c.document)
			read := map[string]shape{}
			for _, m := range table.Members {
				describe(m, readName(m), read)
			}
			if diff := cmp.Diff(ofSDK(c.read), known(read), cmpopts.IgnoreUnexported(shape{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("what is read (-SDK +table):\n%s", diff)
			}
			write := map[string]shape{"UserPoolId": {Kind: baseline.String}}
			for _, m := range table.Members {
				if m.Trip != baseline.ReadOnly {
					describe(m, m.Name, write)
				}
			}
			if diff := cmp.Diff(ofSDK(c.write), known(write), cmpopts.IgnoreUnexported(shape{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("what is written (-SDK +table):\n%s", diff)
			}
		})
	}
}

func tableOf(t *testing.T, name baseline.DocumentName) baseline.Document {
	t.Helper()
	for _, table := range baseline.Documents() {
		if table.Name == name {
			return table
		}
	}
	t.Fatalf("no document %s", name)
	return baseline.Document{}
}

type shape struct {
	Kind  baseline.Kind // 0 of members that no call writes: only their name counts
	Enum  []string
	newer bool
}

func describe(m baseline.Member, path string, into map[string]shape) {
	if m.Trip == baseline.ReadOnly {
		into[path] = shape{}
		return
	}
	enum := slices.Clone(m.Enum)
	slices.Sort(enum)
	into[path] = shape{Kind: m.Kind, Enum: enum, newer: m.Newer}
	if m.Elem != nil {
		describe(*m.Elem, path+"[]", into)
	}
	for _, below := range m.Members {
		describe(below, path+"."+below.Name, into)
	}
}

// known leaves out what the table says the SDK does not have.
func known(all map[string]shape) map[string]shape {
	kept := maps.Clone(all)
	for path, s := range all {
		if !s.newer {
			continue
		}
		for below := range all {
			if below == path || covers(path, below) || len(below) > len(path) && below[:len(path)+1] == path+"[" {
				delete(kept, below)
			}
		}
	}
	return kept
}

func ofSDK(kind reflect.Type) map[string]shape {
	into := map[string]shape{}
	walkStruct(kind, "", into)
	// The enums that the service has extended since.
	if s, ok := into["Policies.SignInPolicy.AllowedFirstAuthFactors[]"]; ok {
		s.Enum = append(s.Enum, "SOFTWARE_TOKEN")
		slices.Sort(s.Enum)
		into["Policies.SignInPolicy.AllowedFirstAuthFactors[]"] = s
	}
	readOnly := map[string]bool{}
	for _, table := range baseline.Documents() {
		for _, m := range table.Members {
			if m.Trip == baseline.ReadOnly {
				readOnly[m.Name] = true
			}
		}
	}
	for path := range into {
		for name := range readOnly {
			switch {
			case path == name:
				into[path] = shape{}
			case covers(name, path) || len(path) > len(name) && path[:len(name)+1] == name+"[":
				delete(into, path)
			}
		}
	}
	return into
}

func walkStruct(kind reflect.Type, prefix string, into map[string]shape) {
	for i := range kind.NumField() {
		field := kind.Field(i)
		if !field.IsExported() || field.Name == "ResultMetadata" {
			continue
		}
		walkType(field.Type, prefix+field.Name, into)
	}
}

func walkType(kind reflect.Type, path string, into map[string]shape) {
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	var s shape
	switch kind.Kind() {
	case reflect.Bool:
		s.Kind = baseline.Boolean
	case reflect.Int32, reflect.Int64:
		s.Kind = baseline.Integer
	case reflect.String:
		s.Kind = baseline.String
		if method := reflect.Zero(kind).MethodByName("Values"); method.IsValid() {
			for list, i := method.Call(nil)[0], 0; i < list.Len(); i++ {
				s.Enum = append(s.Enum, list.Index(i).String())
			}
			slices.Sort(s.Enum)
		}
	case reflect.Slice:
		s.Kind = baseline.List
		walkType(kind.Elem(), path+"[]", into)
	case reflect.Map:
		s.Kind = baseline.Map
		walkType(kind.Elem(), path+"[]", into)
	case reflect.Struct:
		s.Kind = baseline.Object
		if kind.PkgPath() != "time" {
			walkStruct(kind, path+".", into)
		}
	}
	into[path] = s
}
