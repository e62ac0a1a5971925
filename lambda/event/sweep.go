package event

import (
	"encoding/json"
	"strings"
	"time"
)

// What we put onto a bus ourselves.
const (
	Source        = fromUs
	ReconcilePool = "Reconcile User Pool" // asks for one pool; its detail is a Member
	SweepPools    = "Sweep"               // asks for every pool; its detail is nothing, or a Sweep to go on with
)

// A Sweep is how far a sweep has come that is to go on in another invocation. The zero Sweep is one that begins.
type Sweep struct {
	Started   time.Time `json:"started"`
	Token     string    `json:"token"` // of the page to go on with; "" is the first, of a sweep that began again
	Pools     int       `json:"pools"` // that were sent so far
	Restarted bool      `json:"restarted,omitempty"`
	Function  string    `json:"function,omitempty"` // as that of a Member
	Purpose
}

// A Member is one pool of a sweep.
type Member struct {
	UserPoolID string    `json:"userPoolId"`
	Sweep      time.Time `json:"sweep"` // when the sweep started, which is its name
	// Function is the name of the function that is to answer: a rule that looks at it hands the event to no other deployment on the bus. It is not read back.
	Function string `json:"function,omitempty"`
	Purpose
}

// A Purpose says what a sweep is to make of drift that it finds.
type Purpose struct {
	// Asked is when the call was made that asked for the sweep, as CloudTrail left out its pool; zero where none did.
	Asked time.Time `json:"asked,omitzero"`
	// Own says that it was a call of our own role: what such a sweep finds is reported, and not written.
	Own bool `json:"own,omitempty"`
	// First is when the first of all sweeps began; zero where nobody remembers.
	First time.Time `json:"first,omitzero"`
}

func purposeOf(detail object) Purpose {
	return Purpose{Asked: instant(detail.text("asked")), Own: detail["own"] == true, First: instant(detail.text("first"))}
}

// maxToken is the longest token of a page that Cognito gives out.
const maxToken = 131072

// sweepOf reads how far a sweep has come. A detail that cannot be gone on with is that of a sweep that begins: looking at every pool is never wrong.
func sweepOf(detail object) Sweep {
	token, started, restarted := detail.text("token"), instant(detail.text("started")), detail["restarted"] == true
	if token == "" && !restarted || len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) || started.IsZero() {
		return Sweep{}
	}
	pools := 0
	if n, ok := detail["pools"].(json.Number); ok {
		if sent, err := n.Int64(); err == nil && sent > 0 && sent < 1e9 {
			pools = int(sent)
		}
	}
	return Sweep{Started: started, Token: token, Pools: pools, Restarted: restarted, Purpose: purposeOf(detail)}
}
