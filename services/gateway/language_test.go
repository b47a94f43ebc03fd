package gateway

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

func TestLanguageOf(t *testing.T) {
	for header, want := range map[string]string{
		"":                                     "en",
		"en":                                   "en",
		"zh":                                   "zh",
		"zh-CN,zh;q=0.9,en;q=0.8":              "zh",
		"en-GB,en;q=0.9,zh;q=0.8":              "en",
		"de-DE,de;q=0.9,zh-Hant;q=0.4,en;q=.3": "zh",
		"ZH-hans":                              "zh",
		"en;q=0.1, zh;q=0.2":                   "zh",
		"zh;q=0":                               "en",
		"fr, *;q=0.5, zh;q=0.1":                "en",
		"zh;q=NaN":                             "en",
		"zh;q=7":                               "en",
		"zhuang":                               "en",
		",,;;q=,=":                             "en",
		"en,zh":                                "en",
		"zh,en":                                "zh",
	} {
		if got := languageOf(header); got != want {
			t.Errorf("%q: %s, not %s", header, got, want)
		}
	}
}

// The mail is in the language of who asks for it.
func TestSendCode_passes_the_language(t *testing.T) {
	w := newWorld(t, nil)
	nc, err := nats.Connect(w.nats.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	asked := make(chan string, 10)
	s := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Auth})
	rpc.Handle(s, contract.SendCode, func(_ context.Context, req contract.SendCodeRequest) (contract.Empty, error) {
		asked <- req.Language
		return contract.Empty{}, nil
	})
	background(t, s.Run)
	send := func(header ...string) int {
		status, _, _ := w.do(t, "POST", "/api/v1/auth/codes", `{"email":"a@example.org","purpose":"register"}`, header...)
		return status
	}
	eventually(t, "auth answers", func() bool { return send() == 202 })
	if got := <-asked; got != "en" {
		t.Errorf("without a header: %q", got)
	}
	if status, got := send("Accept-Language", "zh-CN,zh;q=0.9"), <-asked; status != 202 || got != "zh" {
		t.Errorf("in Chinese: %d, %q", status, got)
	}
}
