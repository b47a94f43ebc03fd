package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// answer is what a handler answers.
type answer struct {
	status int
	body   any    // sent as JSON; nil for none
	raw    []byte // sent as it is, instead
	mime   string // of raw
	header [][2]string
	vary   string // the request's header that decided what is answered; empty for none
}

func ok200(body any) answer      { return answer{status: http.StatusOK, body: body} }
func created201(body any) answer { return answer{status: http.StatusCreated, body: body} }
func accepted202() answer        { return answer{status: http.StatusAccepted} }
func empty204() answer           { return answer{status: http.StatusNoContent} }

// file200 answers a page or a part of one.
func file200(mime string, raw []byte) answer {
	return answer{status: http.StatusOK, raw: raw, mime: mime}
}

// notModified304 says that what the client has still holds.
func notModified304() answer { return answer{status: http.StatusNotModified} }

// varying says that another value of this header would be answered otherwise.
func (w answer) varying(header string) answer {
	w.vary = header
	return w
}

// with adds a header.
func (w answer) with(name, value string) answer {
	w.header = append(w.header, [2]string{name, value})
	return w
}

func (w answer) write(fc *fiber.Ctx) error {
	body, mime := w.raw, w.mime
	if w.body != nil {
		var err error
		if body, err = encodeJSON(w.body); err != nil {
			return fmt.Errorf("encode answer: %w", err)
		}
		mime = fiber.MIMEApplicationJSON
	}
	for _, h := range w.header {
		fc.Set(h[0], h[1])
	}
	if w.vary != "" {
		fc.Vary(w.vary)
	}
	fc.Status(w.status)
	if body == nil {
		fc.Response().Header.SetNoDefaultContentType(true)
		return nil
	}
	fc.Set(fiber.HeaderContentType, mime)
	return fc.Send(body)
}

// encodeJSON leaves <, > and & as they are: nothing here ends up in HTML.
func encodeJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
