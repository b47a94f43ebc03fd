package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/parley-im/parley/pkg/fault"
)

// mailpit is where codes are read that were mailed:
// https://mailpit.axllent.org/docs/api-v1/
type mailpit struct{ base string }

// answerLimit bounds what is read of an answer, in bytes.
const answerLimit = 1 << 20

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// register makes two fresh accounts, at one gateway each. They stay: Parley
// deletes no accounts.
func (t *trial) register(ctx context.Context, mail mailpit) error {
	for i := range t.people {
		a := account{name: "smoke_" + strings.ToLower(rand.Text()[:16]), password: rand.Text()}
		api := t.gateways[i%len(t.gateways)] + "/api/v1"
		email := a.name + "@smoke.example"
		err := persist(ctx, func() error {
			return call(ctx, http.MethodPost, api+"/auth/codes", map[string]string{"email": email, "purpose": "register"}, nil)
		})
		if err != nil {
			return fmt.Errorf("ask for a code: %w", err)
		}
		code, err := mail.code(ctx, email)
		if err != nil {
			return fmt.Errorf("read the code in Mailpit: %w", err)
		}
		// Not tried again: a code counts once.
		err = call(ctx, http.MethodPost, api+"/auth/register", map[string]string{
			"email": email, "code": code, "account": a.name, "password": a.password, "nickname": "smoke",
		}, nil)
		if err != nil {
			return fmt.Errorf("register: %w", err)
		}
		t.people[i] = a
	}
	t.say("mail", "two codes came")
	return nil
}

// code waits for the mail to the address, and returns the code in it.
func (m mailpit) code(ctx context.Context, email string) (code string, err error) {
	err = persist(ctx, func() error {
		var found struct{ Messages []struct{ ID string } }
		search := url.Values{"query": {`to:"` + email + `"`}}
		if err := call(ctx, http.MethodGet, m.base+"/api/v1/search?"+search.Encode(), nil, &found); err != nil {
			return err
		}
		if len(found.Messages) == 0 {
			return fmt.Errorf("no mail to %s", email)
		}
		var message struct{ Text string }
		if err := call(ctx, http.MethodGet, m.base+"/api/v1/message/"+url.PathEscape(found.Messages[0].ID), nil, &message); err != nil {
			return err
		}
		if code = sixDigits.FindString(message.Text); code == "" {
			return errors.New("the mail has no code")
		}
		return nil
	})
	return code, err
}

// call sends and takes JSON. A refusal of Parley's is a *fault.Error.
func call(ctx context.Context, method, target string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		refusal := new(fault.Error)
		if json.Unmarshal(text, refusal) != nil || refusal.Detail == "" {
			return fmt.Errorf("answered %s", response.Status)
		}
		return refusal
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
