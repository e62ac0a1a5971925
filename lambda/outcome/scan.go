package outcome

// A ScanResult is the result of one scan or of one part of it.
type ScanResult struct {
	Outcome  Ending         `json:"outcome"`            // Scanned, Deferred or Ignored
	Pools    int            `json:"pools"`              // listed pools that a rule may select
	Sent     int            `json:"sent,omitempty"`     // how many of them were sent to the scan queue
	Outcomes map[Ending]int `json:"outcomes,omitempty"` // the number of pools by ending, for those handled in process
	Failed   []Failure      `json:"failed,omitempty"`   // the deferred ones of them
	Reason   string         `json:"reason,omitempty"`
}

// A Failure is a pool that a scan could not reconcile.
type Failure struct {
	UserPoolID string `json:"userPoolId"`
	Outcome    Ending `json:"outcome"`
	Reason     string `json:"reason"`
}
