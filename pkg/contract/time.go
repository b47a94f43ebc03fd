package contract

import (
	"fmt"
	"time"
)

// timeLayout is RFC 3339 in UTC with exactly three digits of a second.
const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is an instant as Parley writes it: UTC, in whole milliseconds, so that
// what a store gives back equals what was put in.
type Time struct{ time.Time }

// NewTime cuts t to milliseconds and moves it to UTC.
func NewTime(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// FromMilli is the instant that many milliseconds after the Unix epoch.
func FromMilli(ms int64) Time { return Time{time.UnixMilli(ms).UTC()} }

// MarshalJSON writes "2006-01-02T15:04:05.000Z".
func (t Time) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timeLayout)+2)
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeLayout)
	return append(b, '"'), nil
}

// UnmarshalJSON reads any RFC 3339 time and cuts it to milliseconds.
func (t *Time) UnmarshalJSON(data []byte) error {
	var v time.Time
	if err := v.UnmarshalJSON(data); err != nil {
		return fmt.Errorf("decode time: %w", err)
	}
	*t = NewTime(v)
	return nil
}
