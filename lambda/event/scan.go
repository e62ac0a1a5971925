package event

import (
	"encoding/json"
	"strings"
	"time"
)

// What we send to our own queues.
const (
	Source        = fromUs
	ReconcilePool = "Reconcile User Pool" // asks for one pool; its detail is a Member
	ScanPools     = "Scan"                // asks for every pool; its detail is empty, or a Scan to continue
	sweepPools    = "Sweep"               // the older name of ScanPools, which is still accepted
)

// A Scan reconciles every pool. The zero Scan is one that begins.
type Scan struct {
	Started   time.Time `json:"started"`
	Token     string    `json:"token,omitempty"`     // of the next page; "" is the first page
	Pools     int       `json:"pools,omitempty"`     // listed so far
	Restarted bool      `json:"restarted,omitempty"` // it began again at the first page, as the API refused the token
	Scheduled bool      `json:"scheduled,omitempty"` // the schedule asked for it
}

// A Member is one pool of a scan, or some app clients of one pool.
type Member struct {
	UserPoolID string    `json:"userPoolId"`
	Clients    []string  `json:"clients,omitempty"`   // at most MaxClients ids; nil is the whole pool
	Scan       time.Time `json:"scan,omitzero"`       // when the scan started that sent it
	Scheduled  bool      `json:"scheduled,omitempty"` // the schedule asked for that scan
}

// MaxClients is how many app clients one message can name.
const MaxClients = 100

// Message returns the message that asks for a pool or for a scan. It is an event in the envelope of EventBridge.
func Message(detailType string, detail any) string {
	raw, err := json.Marshal(map[string]any{"source": Source, "detail-type": detailType, "detail": detail})
	if err != nil {
		panic(err) // texts, numbers and times of our own always encode
	}
	return string(raw)
}

// maxToken is the longest token that the API returns.
const maxToken = 131072

// scanOf reads how far a scan has come. A detail from which no scan can continue begins one: a scan never does harm.
func scanOf(detail object) Scan {
	scheduled := detail["scheduled"] == true || detail["reason"] == "schedule"
	token, started, restarted := detail.text("token"), instant(detail.text("started")), detail["restarted"] == true
	odd := strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
	if token == "" && !restarted || len(token) > maxToken || odd || started.IsZero() {
		return Scan{Scheduled: scheduled}
	}
	pools := 0
	if n, ok := detail["pools"].(json.Number); ok {
		if listed, err := n.Int64(); err == nil && listed > 0 && listed < 1e9 {
			pools = int(listed)
		}
	}
	return Scan{Started: started, Token: token, Pools: pools, Restarted: restarted, Scheduled: scheduled}
}

// clientsOf reads the app clients of a message. A list that we cannot have sent stands for the whole pool.
func clientsOf(detail object) []string {
	list, _ := detail["clients"].([]any)
	if len(list) > MaxClients {
		return nil
	}
	var clients []string
	for _, e := range list {
		id, ok := e.(string)
		if !ok || !isClientID(id) {
			return nil
		}
		clients = append(clients, id)
	}
	return clients
}
