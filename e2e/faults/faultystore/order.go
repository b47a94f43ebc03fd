package faultystore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// maxOrder is the most bytes that an order has.
const maxOrder = 1 << 10

// ServeHTTP takes an order as JSON.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o, ok := read(w, r); ok {
		s.Take(o)
		w.WriteHeader(http.StatusNoContent)
	}
}

// ServeHTTP takes an order to jump, as JSON.
func (c *Clock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o, ok := read(w, r)
	switch {
	case !ok:
	case o.Kind != Jump:
		http.Error(w, "there is no store, only a clock", http.StatusBadRequest)
	default:
		c.Jump(o.Delay)
		w.WriteHeader(http.StatusNoContent)
	}
}

// read is false when it has refused what is no order.
func read(w http.ResponseWriter, r *http.Request) (o Order, ok bool) {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil {
		http.Error(w, "not an order: "+err.Error(), http.StatusBadRequest)
		return o, false
	}
	return o, true
}

// Give gives an order to the store that listens at the URL.
func Give(ctx context.Context, url string, o Order) error {
	body, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("order a fault: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("order a fault: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("order a fault: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("order a fault: %s", response.Status)
	}
	return nil
}
