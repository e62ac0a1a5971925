package event

import (
	"encoding/json"
	"strings"
	"time"
)

// What we send to our own queues.
const (
	Source        = "poolkeeper"
	ReconcilePool = "Reconcile User Pool" // asks for one pool; its detail is a Member
	ScanPools     = "Scan"                // asks for every pool; its detail is empty, or a Scan to continue
	sweepPools    = "Sweep"               // the older name of ScanPools, which is still accepted
)

// A Scan reconciles every pool. The zero Scan is one that begins.
type Scan struct {
	Started   time.Time `json:"started"`
	Token     string    `json:"token,omitempty"`     // of the next page; "" is the first page
	Pages     int       `json:"pages,omitempty"`     // listed so far
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
	return string(encode(map[string]any{"source": Source, "detail-type": detailType, "detail": detail}))
}

func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // what was parsed, and texts, numbers and times of our own, always encode
	}
	return raw
}

// maxToken is the longest token that the API returns.
const maxToken = 131072

// scanOf reads how far a scan has come. A detail from which no scan can continue begins one: a scan never does harm.
func scanOf(detail object) Scan {
	scan := Scan{Scheduled: detail["scheduled"] == true || detail["reason"] == "schedule"}
	token, started := detail.text("token"), instant(detail.text("started"))
	odd := strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
	if token == "" || len(token) > maxToken || odd || started.IsZero() {
		return scan
	}
	scan.Token, scan.Started = token, started
	if n, ok := detail["pages"].(json.Number); ok {
		pages, _ := n.Int64()
		scan.Pages = int(max(0, min(pages, 1e6)))
	}
	return scan
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
