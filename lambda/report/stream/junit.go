package stream

import (
	"encoding/xml"
	"fmt"
	"io"

	"poolkeeper/lambda/outcome"
)

type (
	suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Cases    []testCase `xml:"testcase"`
	}
	testCase struct {
		Name    string `xml:"name,attr"`
		Class   string `xml:"classname,attr"`
		Failure *said  `xml:"failure"`
		Error   *said  `xml:"error"`
		Skipped *said  `xml:"skipped"`
	}
	said struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// suiteOf is the suite of a pool or file: a case for each finding, or one that passes.
func suiteOf(e Entry) suite {
	s := suite{Name: e.name}
	for _, f := range e.findings {
		c := testCase{Name: f.where(), Class: e.name}
		text := &said{Message: f.says(), Text: f.Source.String()}
		switch {
		case f.State == outcome.StateExempted:
			c.Skipped = text
			s.Skipped++
		case f.level != note:
			c.Failure = text
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
	}
	if e.failed != "" {
		s.Cases = append(s.Cases, testCase{Name: e.word, Class: e.name, Error: &said{Message: e.failed}})
		s.Errors++
	}
	if len(s.Cases) == 0 {
		s.Cases = []testCase{{Name: e.word, Class: e.name}}
	}
	s.Tests = len(s.Cases)
	return s
}

// writeJUnit writes the document. It has no place for a summary.
func writeJUnit(w io.Writer, entries []Entry) error {
	document := struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		Suites  []suite  `xml:"testsuite"`
	}{Name: "poolkeeper"}
	for _, e := range entries {
		if e.name != "" {
			document.Suites = append(document.Suites, suiteOf(e))
		}
	}
	raw, err := xml.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, raw)
	return err
}
