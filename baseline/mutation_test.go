package baseline_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"poolkeeper/baseline"
)

var mutations = flag.Int("mutations", 1000, "how many mutated files are validated")

// uncommented returns the file that ships with everything in it that can be chosen.
func uncommented() string {
	lines := strings.Split(string(baseline.Default()), "\n")
	from := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "# More, to choose from") })
	for i := range lines {
		if i > from+1 && strings.HasPrefix(lines[i], "#") {
			lines[i] = strings.TrimPrefix(lines[i], "#")
		}
	}
	return strings.Join(lines, "\n")
}

// goodFiles returns the files that the mistakes are made in: the one that ships, an example and a generated one.
func goodFiles(t *testing.T) map[string]string {
	t.Helper()
	demo, err := os.ReadFile("../lambda/cmd/poolkeeper/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var pool map[string]any
	decoder := json.NewDecoder(strings.NewReader(`{"DeletionProtection": "ACTIVE", "MfaConfiguration": "OPTIONAL",
		"SoftwareTokenMfaConfiguration": {"Enabled": true}, "AutoVerifiedAttributes": ["email"], "UserPoolTier": "PLUS",
		"Policies": {"PasswordPolicy": {"MinimumLength": 14, "RequireNumbers": true, "TemporaryPasswordValidityDays": 3},
			"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}},
		"UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"},
		"AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
		"Clients[abc]": {"AccessTokenValidity": 60, "TokenValidityUnits": {"AccessToken": "minutes"},
			"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"], "EnableTokenRevocation": true}}`))
	decoder.UseNumber()
	if err := decoder.Decode(&pool); err != nil {
		t.Fatal(err)
	}
	made, err := baseline.Snapshot(baseline.Identity{ID: "eu-west-1_AbCdEf123",
		Clients: []baseline.ClientIdentity{{ID: "abc", Name: "web"}}}, pool)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"ships": uncommented(), "example": string(demo), "generated": string(made)}
}

// A mistake is what a person does to one line of a file.
type mistake func(r *rand.Rand, line string) string

var word = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_]*`)

// inWord changes one word of the line.
func inWord(change func(r *rand.Rand, word string) string) mistake {
	return func(r *rand.Rand, line string) string {
		found := word.FindAllStringIndex(line, -1)
		if len(found) == 0 {
			return line
		}
		at := found[r.IntN(len(found))]
		return line[:at[0]] + change(r, line[at[0]:at[1]]) + line[at[1]:]
	}
}

var mistakes = map[string]mistake{
	"a letter too many": inWord(func(r *rand.Rand, w string) string {
		i := r.IntN(len(w))
		return w[:i] + w[i:i+1] + w[i:]
	}),
	"a letter missing": inWord(func(r *rand.Rand, w string) string {
		i := r.IntN(len(w))
		return w[:i] + w[i+1:]
	}),
	"another letter": inWord(func(r *rand.Rand, w string) string {
		i := r.IntN(len(w))
		return w[:i] + string(rune('a'+r.IntN(26))) + w[i+1:]
	}),
	"lower case": inWord(func(_ *rand.Rand, w string) string { return strings.ToLower(w) }),
	"upper case": inWord(func(_ *rand.Rand, w string) string { return strings.ToUpper(w) }),
	"too deep":   func(_ *rand.Rand, line string) string { return "  " + line },
	"too shallow": func(_ *rand.Rand, line string) string {
		return strings.TrimPrefix(line, "  ")
	},
	"under another parent": func(r *rand.Rand, line string) string {
		return strings.Repeat(" ", 2*r.IntN(6)) + strings.TrimLeft(line, " ")
	},
	"twice":   func(_ *rand.Rand, line string) string { return line + "\n" + line },
	"missing": func(*rand.Rand, string) string { return "" },
	"a unit": func(r *rand.Rand, line string) string {
		units := []string{"hours", "days", "minutes"}
		for _, unit := range units {
			if strings.Contains(line, unit) {
				return strings.Replace(line, unit, units[r.IntN(3)], 1)
			}
		}
		return line
	},
	"ten times": func(_ *rand.Rand, line string) string { return number.ReplaceAllString(line, "${1}${2}0") },
	"quoted":    func(_ *rand.Rand, line string) string { return number.ReplaceAllString(line, `$1"$2"`) },
	"another type": func(_ *rand.Rand, line string) string {
		return strings.NewReplacer(": true", `: "yes"`, ": ACTIVE", ": true", ": ENFORCED", ": 1", ": [", ": ", "]", "").
			Replace(line)
	},
}

var number = regexp.MustCompile(`(: )(\d+)`)

// free matches lines where any text is valid, so that a parser cannot detect a mistake.
var free = regexp.MustCompile(`name:|names:|reason:|owner:|tags:|UserPoolTags|arn:|Arn|https?://|Message|Subject|` +
	`ids:|setting: UserPoolTags|until:|Id:|: (echo|omit|stop)`)

// TestMutatedFiles: the files are good, the commented examples of the one that ships among them. Whatever mistake a
// person makes in a line of one is an error or a warning that names the place, or it changes nothing, or it makes
// another file that means what it says.
func TestMutatedFiles(t *testing.T) {
	t.Parallel()
	for name, text := range goodFiles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mutate(t, text, *mutations/3+1)
		})
	}
}

// mutate makes so many files of a good one, each with a mistake in it.
func mutate(t *testing.T, text string, files int) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	base, err := baseline.Parse("base.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	warned := warnings(base, now)
	lines := strings.Split(text, "\n")
	names := slices.Sorted(maps.Keys(mistakes))
	count := map[string]int{}
	r := rand.New(rand.NewPCG(1, 2))
	for n, tries := 0, 0; n < files; tries++ {
		// Each mistake as often, where a line has a place for it.
		i, name := r.IntN(len(lines)), names[(n+tries/1000)%len(names)]
		if code, _, _ := strings.Cut(lines[i], " #"); strings.TrimSpace(code) == "" || strings.HasPrefix(lines[i], "#") {
			continue
		}
		mutated := slices.Clone(lines)
		if mutated[i] = mistakes[name](r, lines[i]); mutated[i] == lines[i] {
			continue
		}
		n++
		changed, err := baseline.Parse("base.yaml", []byte(strings.Join(mutated, "\n")))
		switch {
		case err != nil:
			var found baseline.Errors
			placeless := func(e baseline.Error) bool { return e.Position.Line == 0 }
			if !errors.As(err, &found) || slices.ContainsFunc(found, placeless) {
				t.Errorf("%s is refused without a place: %v", name, err)
			}
			count["refused, with the place"]++
		case len(warnings(changed, now)) > len(warned):
			count["accepted with a warning"]++
		case cmp.Equal(base, changed, cmpopts.IgnoreTypes(baseline.Position{}), cmpopts.IgnoreFields(baseline.Baseline{},
			"Digest"), cmpopts.IgnoreUnexported(baseline.Baseline{})):
			count["accepted: it means the same"]++
		case name == "missing":
			count["accepted: a line less requires less"]++
		case free.MatchString(lines[i]):
			count["accepted: a text that only its author knows"]++
		case name == "ten times":
			count["accepted: another number that the API takes"]++
		default:
			t.Errorf("accepted without a word, %s:\n- %s\n+ %s", name, lines[i], mutated[i])
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%5d %s", count[kind], kind)
	}
}

func warnings(b *baseline.Baseline, now time.Time) []string {
	var all []string
	for _, lint := range b.Lint(now) {
		all = append(all, fmt.Sprint(lint))
	}
	return all
}
