package gateway

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/token"
)

// exchange writes a frame and returns the next that comes.
func exchange(t *testing.T, ws *websocket.Conn, frame string) string {
	t.Helper()
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
	reply, err := next(t, ws)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// TestHostile_frames sends what no client of ours does: each frame is answered
// or, if the connection can't go on, closes it with a code that says why.
func TestHostile_frames(t *testing.T) {
	w := newWorld(t, nil)
	raw := w.token(t, "ann", "s1")
	const ok, invalid = `"op":"ok"`, `"code":"invalid_argument"`
	ping := func(data string) string { return `{"id":"1","op":"ping","data":` + data + `}` }
	pad := func(size int) string { return ping(`"` + strings.Repeat("a", size-len(ping(`""`))) + `"`) }
	for name, c := range map[string]struct {
		frame string
		want  string
	}{
		"a list in a thousand others":      {ping(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)), ok},
		"a list in twenty thousand others": {ping(strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)), invalid},
		"brackets that are not closed":     {strings.Repeat("[", 65_000), invalid},
		"a number of 60,000 digits":        {ping(strings.Repeat("9", 60_000)), ok},
		"a seq beyond 64 bits":             {`{"id":"1","op":"read.set","data":{"room_id":"r1","seq":9223372036854775808}}`, invalid},
		"a seq with an exponent":           {`{"id":"1","op":"read.set","data":{"room_id":"r1","seq":1e400}}`, invalid},
		"a seq with a fraction":            {`{"id":"1","op":"read.set","data":{"room_id":"r1","seq":1.5}}`, invalid},
		"a name twice":                     {`{"id":"1","op":"ping","op":"message.send"}`, invalid},
		"a name twice, deeper":             {`{"id":"1","op":"read.set","data":{"room_id":"r1","seq":1,"seq":2}}`, invalid},
		"a name twice, by an escape":       {`{"id":"1","op":"ping","\u006fp":"ping"}`, invalid},
		"not UTF-8":                        {ping("\"\xc3\x28\""), invalid},
		"half a surrogate pair":            {ping(`"\ud800"`), invalid},
		"half a pair in a text, its id":    {`{"id":"7","op":"message.send","data":{"room_id":"r1","client_id":"c","type":"text","content":{"text":"\ud83d"}}}`, `{"id":"7","op":"error"`},
		"half a pair in a text, its field": {`{"id":"7","op":"message.send","data":{"room_id":"r1","client_id":"c","type":"text","content":{"text":"\ud83d"}}}`, `"content.text"`},
		"half a pair before the id":        {`{"op":"ping","data":"\udc00","id":"8"}`, `{"id":"8","op":"error"`},
		"a name twice, its id":             {`{"id":"9","op":"ping","op":"message.send"}`, `{"id":"9","op":"error"`},
		"not UTF-8, its id":                {ping("\"\xc3\x28\""), `{"id":"1","op":"error"`},
		"a long name that is half a pair":  {`{"id":"1","op":"ping","data":{"` + strings.Repeat("a", 5000) + `":"\ud800"}}`, invalid},
		"a control character":              {ping("\"\x01\""), invalid},
		"NUL behind the object":            {ping("{}") + "\x00", invalid},
		"a byte order mark":                {"\ufeff" + ping("{}"), invalid},
		"two objects":                      {ping("{}") + ping("{}"), invalid},
		"nothing":                          {"", invalid},
		"an id of 65 characters":           {`{"id":"` + strings.Repeat("é", 65) + `","op":"ping"}`, invalid},
		"an id of 64 characters":           {`{"id":"` + strings.Repeat("é", 64) + `","op":"ping"}`, ok},
		"an op that is a subject":          {`{"id":"1","op":"im.svc.auth.>"}`, invalid},
		"an op of another case":            {`{"id":"1","op":"PING"}`, invalid},
		"a push":                           {`{"id":"1","op":"message","data":{}}`, invalid},
		"64 KiB less one byte":             {pad(65535), ok},
		"64 KiB":                           {pad(65536), ok},
	} {
		t.Run(name, func(t *testing.T) {
			ws := w.dial(t, raw)
			if _, err := next(t, ws); err != nil {
				t.Fatal(err)
			}
			if reply := exchange(t, ws, c.frame); !strings.Contains(reply, c.want) || len(reply) > 500 {
				t.Fatalf("answered %.300s", reply)
			}
			if reply := exchange(t, ws, ping("{}")); !strings.Contains(reply, ok) {
				t.Fatalf("and then %s", reply)
			}
			_ = ws.CloseNow()
		})
	}
	w.healthy(t)
}

// long is a frame's header that promises so much, masked with zeros.
func long(first byte, size uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{first, 0xff}, size), 0, 0, 0, 0)
}

// TestHostile_sockets breaks the protocol below the frames. What closes the
// connection stands in the close frame's code.
func TestHostile_sockets(t *testing.T) {
	w := newWorld(t, nil)
	raw := w.token(t, "ann", "s1")
	for name, c := range map[string]struct {
		sent []byte
		code contract.CloseCode
	}{
		"64 KiB and one byte":        {append(long(0x81, 65537), make([]byte, 65537)...), contract.CloseTooLarge},
		"a frame of an exabyte":      {long(0x81, 1<<60), contract.CloseTooLarge},
		"a length that overflows":    {long(0x81, 1<<63), contract.CloseTooLarge},
		"64 KiB and more in parts":   {append(append(long(0x01, 65536), make([]byte, 65536)...), 0x80, 0x81, 0, 0, 0, 0, 'a'), contract.CloseTooLarge},
		"not masked":                 {[]byte{0x81, 0x02, '{', '}'}, 1002},
		"a reserved bit":             {[]byte{0xc1, 0x80, 0, 0, 0, 0}, 1002},
		"an opcode that is unknown":  {[]byte{0x83, 0x80, 0, 0, 0, 0}, 1002},
		"a ping of 126 bytes":        {[]byte{0x89, 0xfe, 0, 126, 0, 0, 0, 0}, 1002},
		"a ping in parts":            {[]byte{0x09, 0x80, 0, 0, 0, 0}, 1002},
		"a part without a beginning": {[]byte{0x80, 0x80, 0, 0, 0, 0}, 1002},
		"a close code that is none":  {rawFrame(opClose, "\x03\xed"), 1002},
		"half a close code":          {rawFrame(opClose, "\x03"), 1002},
	} {
		t.Run(name, func(t *testing.T) {
			conn := w.dialRaw(t, raw)
			readUntil(t, conn, `"op":"ready"`)
			_, _ = conn.Write(c.sent) // it may be closed before its end
			readUntil(t, conn, string(binary.BigEndian.AppendUint16(nil, uint16(c.code))))
			_ = conn.Close()
		})
	}
	w.healthy(t)
}

// TestHostile_tokens offers each bad token at the three doors: to a call, to an
// upgrade, and in a frame.
func TestHostile_tokens(t *testing.T) {
	w := newWorld(t, nil)
	other, err := token.NewKey(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	claims := func(change ...any) jwt.MapClaims {
		c := jwt.MapClaims{"iss": "parley", "aud": "parley", "sub": "ann", "sid": "s1", "iat": now, "exp": now + 60}
		for i := 0; i < len(change); i += 2 {
			c[change[i].(string)] = change[i+1]
		}
		return c
	}
	sign := func(method jwt.SigningMethod, key any, c jwt.MapClaims, header ...any) string {
		unsigned := jwt.NewWithClaims(method, c)
		unsigned.Header["kid"] = w.key.ID
		for i := 0; i < len(header); i += 2 {
			unsigned.Header[header[i].(string)] = header[i+1]
		}
		raw, err := unsigned.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	ours := func(c jwt.MapClaims, header ...any) string {
		return sign(jwt.SigningMethodEdDSA, w.key.Private, c, header...)
	}
	good := ours(claims())
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	public := []byte(w.key.Private.Public().(ed25519.PublicKey))
	for name, raw := range map[string]string{
		"alg none":                    sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims()),
		"no signature":                head + "." + body + ".",
		"HS256 with the public key":   sign(jwt.SigningMethodHS256, public, claims()),
		"a stale key id":              sign(jwt.SigningMethodEdDSA, other.Private, claims(), "kid", other.ID),
		"another key under our id":    sign(jwt.SigningMethodEdDSA, other.Private, claims()),
		"a key id that is a path":     ours(claims(), "kid", "../../../etc/passwd"),
		"a key id that is a subject":  ours(claims(), "kid", "im.svc.>"),
		"a key id that is a number":   ours(claims(), "kid", 7),
		"its own key along":           sign(jwt.SigningMethodEdDSA, other.Private, claims(), "kid", "x", "jwk", map[string]string{"kty": "OKP"}, "jku", "http://127.0.0.1/"),
		"for another audience":        ours(claims("aud", "elsewhere")),
		"for several others":          ours(claims("aud", []string{"a", "b"})),
		"by another issuer":           ours(claims("iss", "elsewhere")),
		"expired":                     ours(claims("exp", now-60)),
		"from tomorrow":               ours(claims("iat", now+86400, "exp", now+90000)),
		"not before tomorrow":         ours(claims("nbf", now+86400)),
		"without an end":              ours(claims("exp", nil)),
		"of a user that is a subject": ours(claims("sub", "a.>")),
		"of no session":               ours(claims("sid", "")),
		"a changed body":              head + "." + body[:len(body)-2] + "AA." + signature,
		"a refresh token":             "parley_" + strings.Repeat("a", 43),
		"four parts":                  good + ".a",
		"eight kilobytes":             strings.Repeat("a", 3000) + "." + strings.Repeat("b", 3000) + "." + strings.Repeat("c", 2000),
		"nonsense":                    "nonsense",
	} {
		t.Run(name, func(t *testing.T) {
			header := http.StatusUnauthorized
			if len(raw) > 4000 {
				header = http.StatusRequestHeaderFieldsTooLarge
			}
			if status := w.get(t, "/api/v1/rooms", raw); status != header {
				t.Errorf("a call: %d", status)
			}
			if _, response, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+socketPath, &websocket.DialOptions{
				HTTPHeader: http.Header{"Authorization": {"Bearer " + raw}},
			}); err == nil || response == nil || response.StatusCode != header {
				t.Errorf("an upgrade: %v", err)
			}
			ws := w.dial(t, "")
			reply := exchange(t, ws, fmt.Sprintf(`{"id":"1","op":"auth","data":{"token":%q}}`, raw))
			if !strings.Contains(reply, `"code":"unauthenticated"`) || len(raw) > 20 && strings.Contains(reply, raw[:20]) {
				t.Errorf("a frame: %s", reply)
			}
			if code := closed(t, ws); code != contract.CloseUnauthenticated {
				t.Errorf("closed with %d", code)
			}
		})
	}
	if ws := w.dial(t, good); true {
		if frame, err := next(t, ws); err != nil || !strings.Contains(frame, `"ready"`) {
			t.Fatalf("the same, unchanged: %s, %v", frame, err)
		}
		_ = ws.CloseNow()
	}
	w.healthy(t)
}
