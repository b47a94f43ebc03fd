package client

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say whom to connect as, where, and how. Gateways and Tokens are
// required.
type Options struct {
	// Gateways are base URLs, such as https://chat.example.org. One is enough
	// behind a load balancer; of several, a random one is tried first, and
	// another whenever one fails.
	Gateways []string
	// Tokens gives access tokens; see [Login] and [Resume].
	Tokens TokenSource

	// Cursors keep the place in each room. Nil: in memory.
	Cursors Cursors
	// SaveEvery is how often cursors that moved are saved. 0: a second.
	SaveEvery time.Duration
	// FromFirst has rooms without a cursor begin at the first message that the
	// user may read. False: those of the first connect begin behind their last
	// message, so that only what is new comes; a room that is joined later
	// begins at its first message in either case.
	FromFirst bool

	// Buffer is how many messages wait to be taken by Next, each of 16 KB at
	// most; twice as many events in all. 0: 1024.
	Buffer int
	// Hold is how long a gap is left open, in which the missing message may
	// still arrive by itself. 0: 200 ms.
	Hold time.Duration
	// CallTimeout is how long a gateway may answer nothing at all while calls
	// wait for it; then another connection is made. It should be longer than
	// gateways wait for their services. 0: 15 s.
	CallTimeout time.Duration
	// MaxBackoff is the longest pause between two tries. 0: 10 s.
	MaxBackoff time.Duration

	// HTTPClient makes the upgrade. Nil: http.DefaultClient. A Timeout of its
	// own would end the connection, too.
	HTTPClient *http.Client
	// Log gets what is unusual, without texts and tokens. Nil: nobody.
	Log *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Tokens == nil {
		return o, errors.New("client: Options.Tokens is missing")
	}
	gateways, err := baseURLs(o.Gateways)
	if err != nil {
		return o, err
	}
	o.Gateways = gateways
	if o.Cursors == nil {
		o.Cursors = &MemoryCursors{}
	}
	if o.HTTPClient == nil {
		o.HTTPClient = http.DefaultClient
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Buffer <= 0 {
		o.Buffer = 1024
	}
	o.SaveEvery = orElse(o.SaveEvery, time.Second)
	o.Hold = orElse(o.Hold, 200*time.Millisecond)
	o.CallTimeout = orElse(o.CallTimeout, 15*time.Second)
	o.MaxBackoff = orElse(o.MaxBackoff, 10*time.Second)
	return o, nil
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// CheckGateways returns an error that says what is wrong with the first address
// that [Options.Gateways] may not hold.
func CheckGateways(addresses ...string) error {
	_, err := baseURLs(addresses)
	return err
}

// baseURLs checks the gateways' URLs and cuts their last slash.
func baseURLs(list []string) ([]string, error) {
	if len(list) == 0 {
		return nil, errors.New("client: no gateway is named")
	}
	urls := make([]string, len(list))
	for i, raw := range list {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
			return nil, fmt.Errorf("client: gateway %d is not a plain http:// or https:// URL", i+1)
		}
		urls[i] = strings.TrimRight(raw, "/")
	}
	return urls, nil
}
