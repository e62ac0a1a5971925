package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"poolkeeper/baseline"
)

// What is kept of a pool stands in one item of the ledger, so each part of it is bounded. Whatever is forgotten costs a look at the pool, or a message that was told before, and hides nothing.
const (
	// mostOwn bounds the requests that are kept: more than were made by the time that the event of the first of them comes.
	mostOwn = 32
	// mostLooks bounds the looks: the latest are kept.
	mostLooks = 200
	// mostLeft bounds the settings that were left as they were. Of a pool with more no sweep says what was missed.
	mostLeft = 500
	// mostTold bounds what lasts and was told. Of a pool with more, the rest is told as one.
	mostTold = 300
	// forget is when a look is too old to be worth its room.
	forget = 24 * time.Hour
)

// learn remembers what the run has seen and done.
func (r *run) learn(err error, told bool) {
	m := &r.known
	m.Open = slices.DeleteFunc(m.Open, func(id string) bool {
		if r.rec != nil && r.rec.ID == id {
			return err == nil || len(r.rec.Sent) == 0
		}
		toldAside := r.Aside && slices.ContainsFunc(r.out.Earlier, func(out Outcome) bool { return out.Record == id })
		return r.looked && !toldAside && slices.ContainsFunc(r.untold, func(rec Record) bool { return rec.ID == id })
	})
	if r.recovered && r.looked && !r.owes() {
		m.Owing = nil
	}
	for _, rec := range r.untold {
		r.wrote(rec)
	}
	if r.rec != nil {
		r.wrote(*r.rec)
	}
	for _, out := range r.out.Earlier {
		if out.Outcome == Remediated || out.Outcome == Partial {
			r.own(out.RequestIDs)
		}
	}
	if err != nil {
		return
	}
	r.learnTold(told)
	if r.judged.IsZero() || r.unseen {
		return
	}
	r.known.New = false
	if r.counted {
		r.known.Unheard = r.unheard
	}
	if r.leftToOthers() {
		r.learnUnheld()
		return
	}
	r.own(r.out.RequestIDs)
	r.learnLooks()
	r.learnLeft()
}

// own remembers requests of ours, whose events nobody has to look at.
func (r *run) own(requests []string) {
	r.known.Own = append(r.known.Own, requests...)
	r.known.Own = r.known.Own[max(0, len(r.known.Own)-mostOwn):]
}

// wrote remembers when the last of a record's writes was made.
func (r *run) wrote(rec Record) {
	for _, s := range rec.Sent {
		if until := rec.until(s); until.After(r.known.Wrote) {
			r.known.Wrote = until
		}
	}
}

func (r *run) learnLooks() {
	changes, client := r.request.Call.Changes, r.request.ClientID
	if r.everything() {
		changes, client = nil, ""
		for _, d := range baseline.Documents() {
			changes = append(changes, string(d.Name))
		}
	}
	looks := map[string]time.Time{}
	for document, at := range r.known.Looks {
		if r.judged.Sub(at) < forget {
			looks[document] = at
		}
	}
	for _, document := range changes {
		if client != "" {
			document += "/" + client
		}
		looks[document] = r.judged
	}
	latest := slices.SortedFunc(maps.Keys(looks), func(a, b string) int { return cmp.Or(looks[b].Compare(looks[a]), cmp.Compare(a, b)) })
	for _, document := range latest[min(len(latest), mostLooks):] {
		delete(looks, document)
	}
	r.known.Looks = looks
}

// learnUnheld remembers what does not hold, of which people are told, where nothing else can be learned.
func (r *run) learnUnheld() {
	for _, d := range r.out.Drifts {
		if d.Left == LeftUnheld && !slices.Contains(r.known.Left, d.Setting) && len(r.known.Left) < mostLeft {
			r.known.Left = append(r.known.Left, d.Setting)
		}
	}
}

func (r *run) learnLeft() {
	m := &r.known
	if r.everything() {
		m.Whole, m.Left = r.judged, nil
	}
	if r.shown != nil {
		m.Left = slices.DeleteFunc(m.Left, r.shown)
	}
	for _, d := range r.out.Drifts {
		if d.lasts() && !slices.Contains(m.Left, d.Setting) {
			m.Left = append(m.Left, d.Setting)
		}
	}
	if len(m.Left) > mostLeft || r.out.Outcome == Ignored {
		m.Whole, m.Left = time.Time{}, nil
	}
}

// leftToOthers says that something was seen and left that the event of whoever did it has to find: it came while this run was at work, or the run was not to write.
func (r *run) leftToOthers() bool {
	return slices.ContainsFunc(r.moved, func(path string) bool { return !touchesAny(r.lacks, path) }) || r.out.Reason == MovedReason ||
		slices.ContainsFunc(r.out.Drifts, func(d Drift) bool { return d.Left == LeftOwnWrite || d.Left == LeftUnheld })
}
