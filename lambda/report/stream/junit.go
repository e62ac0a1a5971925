package stream

import (
	"encoding/xml"
	"fmt"
	"io"
)

// junit writes a suite for each pool or file: a case for each finding, or one that passes.
type junit struct {
	w     io.Writer
	begun bool
}

type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string     `xml:"name,attr"`
		Class   string     `xml:"classname,attr"`
		Failure *junitText `xml:"failure"`
		Error   *junitText `xml:"error"`
		Skipped *junitText `xml:"skipped"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func (j *junit) begin() error {
	if j.begun {
		return nil
	}
	j.begun = true
	_, err := fmt.Fprint(j.w, xml.Header, "<testsuites name=\"poolkeeper\">\n")
	return err
}

// Write writes the suite of a pool or file. This format has no place for a summary.
func (j *junit) Write(e Entry) error {
	if err := j.begin(); err != nil || e.name == "" {
		return err
	}
	suite := junitSuite{Name: e.name}
	for _, f := range e.findings {
		c := junitCase{Name: f.where(), Class: e.name}
		said := &junitText{Message: f.says(), Text: f.position.String()}
		switch {
		case f.exemption != "":
			c.Skipped = said
			suite.Skipped++
		case f.level != note:
			c.Failure = said
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	if e.failed != "" {
		suite.Cases = append(suite.Cases, junitCase{Name: e.word, Class: e.name, Error: &junitText{Message: e.failed}})
		suite.Errors++
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []junitCase{{Name: e.word, Class: e.name}}
	}
	suite.Tests = len(suite.Cases)
	raw, err := xml.MarshalIndent(suite, "  ", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err = fmt.Fprintf(j.w, "%s\n", raw)
	return err
}

// Close ends the document.
func (j *junit) Close(bool) error {
	if err := j.begin(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(j.w, "</testsuites>")
	return err
}
