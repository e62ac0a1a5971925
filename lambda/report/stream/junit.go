package stream

import (
	"encoding/xml"
	"fmt"
	"io"

	"poolkeeper/lambda/outcome"
)

// junit collects a suite for each pool or file: a case for each finding, or one that passes.
type junit struct {
	w      io.Writer
	suites []suite
}

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

// Write adds the suite of a pool or file. This format has no place for a summary.
func (j *junit) Write(e Entry) error {
	if e.name == "" {
		return nil
	}
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
	j.suites = append(j.suites, s)
	return nil
}

// Close writes the document.
func (j *junit) Close(bool) error {
	raw, err := xml.MarshalIndent(struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		Suites  []suite  `xml:"testsuite"`
	}{Name: "poolkeeper", Suites: j.suites}, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err = fmt.Fprintf(j.w, "%s%s\n", xml.Header, raw)
	return err
}
