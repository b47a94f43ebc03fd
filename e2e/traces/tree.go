package traces

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Of returns the spans of one trace.
func Of(trace string, spans []Span) []Span {
	var all []Span
	for _, s := range spans {
		if s.Trace == trace {
			all = append(all, s)
		}
	}
	return all
}

// Tree shows the spans of one trace, each below its parent, with when it began
// after the first of them and how long it took, in milliseconds. One whose
// parent is not among them stands at the left.
func Tree(spans []Span) string {
	known := map[string]bool{}
	for _, s := range spans {
		known[s.ID] = true
	}
	children := map[string][]Span{} // by parent; empty for none
	for _, s := range spans {
		parent := s.Parent
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], s)
	}
	for _, list := range children {
		slices.SortStableFunc(list, func(a, b Span) int { return a.Start.Compare(b.Start) })
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-60s %-10s %9s %9s\n", "span", "service", "at ms", "took ms")
	for _, root := range children[""] {
		branch(&b, root, children, "", "", children[""][0].Start)
	}
	return b.String()
}

func branch(b *strings.Builder, s Span, children map[string][]Span, lead, below string, began time.Time) {
	name := lead + s.Name
	if s.Kind != "internal" {
		name += " (" + s.Kind + ")"
	}
	fmt.Fprintf(b, "%-60s %-10s %9.2f %9.2f%s\n", name, s.Service, milliseconds(s.Start.Sub(began)), milliseconds(s.Took), notes(s))
	list := children[s.ID]
	for i, child := range list {
		if i == len(list)-1 {
			branch(b, child, children, below+"└─ ", below+"   ", began)
		} else {
			branch(b, child, children, below+"├─ ", below+"│  ", began)
		}
	}
}

// notes are the attributes of our own, the links and the error.
func notes(s Span) string {
	var notes []string
	for key, value := range s.Attributes {
		if name, ours := strings.CutPrefix(key, "parley."); ours && name != "replica" {
			notes = append(notes, name+"="+strings.TrimPrefix(value, "int_value:"))
		}
	}
	slices.Sort(notes)
	for _, link := range s.Links {
		notes = append(notes, "link="+link)
	}
	if s.Error != "" {
		notes = append(notes, s.Error)
	}
	if len(notes) == 0 {
		return ""
	}
	return "  " + strings.Join(notes, " ")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
