package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const oneRule = "version: 1\nrules: [{name: a, require: {%s}}]"

func every(v any) []any {
	if all, ok := v.([]any); ok {
		return all
	}
	return []any{v}
}

// written writes a value with intrinsic functions as a text: ${Name} for a reference, ${Name.Attribute} for an
// attribute.
func written(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return "${" + plain(strings.TrimPrefix(ref, "AWS::")) + "}"
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%s.%s}", plain(get[0].(string)), get[1])
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			var text strings.Builder
			for _, part := range join[1].([]any) {
				text.WriteString(written(part))
			}
			return text.String()
		}
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// plain is a logical id without the hash at its end.
func plain(id string) string { return strings.TrimRight(id, "0123456789ABCDEF") }

// stated renders what the settings and their baseline make necessary, one "action resource [condition]" a line, with
// references to the location of the stack.
func stated(s Settings) []string {
	location := Location{"${Partition}", "${Region}", "${AccountId}"}
	if len(s.Regions) > 0 {
		location.Partition, location.Region = "aws", s.Regions[0]
	}
	var lines []string
	for _, statement := range Permissions(s, location) {
		condition := ""
		if statement.Key != "" {
			condition = fmt.Sprintf(` {"StringEquals":{%q:%q}}`, statement.Key, statement.Value)
		}
		for _, action := range statement.Actions {
			for _, resource := range statement.Resources {
				lines = append(lines, action+" "+resource+condition)
			}
		}
	}
	sort.Strings(lines)
	return lines
}

// namingPools is a baseline that requires something of every document of so many pools.
func namingPools(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("us-gov-west-1_AbCdEf%03d", i)
	}
	return strings.Replace(ownsAll, "eu-west-1_AbCdEf123", strings.Join(ids, ", "), 1)
}

// TestManyPools: a role has room for the pools that are named one by one, each policy within the limits of IAM, where
// the names are the longest and all else is asked for too, and the function waits for all these policies. Where more
// pools are named, the role may do as much with every pool.
func TestManyPools(t *testing.T) {
	t.Parallel()
	one := strings.Join(stated(read(t, namingPools(mostNamed+1), nil)), "\n")
	const all = "cognito-idp:UpdateUserPool arn:${Partition}:cognito-idp:${Region}:${AccountId}:userpool/*"
	if strings.Contains(one, "us-gov-west-1_") || !strings.Contains(one, all) {
		t.Errorf("one more than are named: %s", one)
	}
	pools, waits := 0, []string{}
	tpl := templateOf(t, namingPools(mostNamed), map[string]any{"securityHub": "true", "eventBus": "audit"})
	for id, r := range tpl.Resources {
		most := map[string]int{"AWS::IAM::Policy": 10240, "AWS::IAM::ManagedPolicy": 6144}[r.Type]
		if most == 0 || !strings.HasPrefix(id, "KeeperRole") {
			continue
		}
		waits = append(waits, id)
		if text := sized(at(r.Properties, "PolicyDocument")); len(text) > most {
			t.Errorf("%s has %d characters, and IAM allows %d", id, len(text), most)
		}
		for _, s := range at(r.Properties, "PolicyDocument", "Statement").([]any) {
			if slices.Contains(every(at(s, "Action")), any("cognito-idp:UpdateUserPool")) {
				pools += len(every(at(s, "Resource")))
			}
		}
	}
	if pools != mostNamed || len(waits) < 2 || len(waits) > 11 {
		t.Errorf("%d pools can be written, by %d policies", pools, len(waits))
	}
	slices.Sort(waits)
	for _, f := range tpl.of("AWS::Lambda::Function") {
		only := slices.DeleteFunc(slices.Sorted(slices.Values(f.DependsOn)), func(id string) bool {
			return tpl.Resources[id].Type == "AWS::IAM::Role"
		})
		if diff := cmp.Diff(waits, only); diff != "" {
			t.Errorf("what the function waits for (-want +got):\n%s", diff)
		}
	}
}

// sized is a policy document as IAM counts it, with references as long as they can become.
func sized(document any) string {
	known := strings.NewReplacer(
		"${Partition}", "aws-us-gov", "${Region}", "us-gov-west-1", "${AccountId}", "111122223333")
	text, _ := json.Marshal(replaced(document, func(function map[string]any) any {
		return known.Replace(written(function)) + strings.Repeat("x", 40)
	}))
	return string(text)
}

// replaced returns a value with others in place of intrinsic functions.
func replaced(v any, by func(function map[string]any) any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, e := range v {
			if name == "Ref" || strings.HasPrefix(name, "Fn::") {
				return by(v)
			}
			out[name] = replaced(e, by)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = replaced(e, by)
		}
		return out
	default:
		return v
	}
}

// A necessity is a baseline and settings, with what they make necessary beside listing the pools.
type necessity struct {
	Baseline, Context string
	Want              []string
}

// TestPermissions: the role gets exactly what is necessary.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range rows[map[string]necessity](t, "permissions.json") {
		t.Run(name, func(t *testing.T) {
			want := append(c.Want, "cognito-idp:ListUserPools *")
			sort.Strings(want)
			if diff := cmp.Diff(want, stated(read(t, c.Baseline, contextOf(c.Context)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
