package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

// File is a .env file, as Docker Compose reads it. Lines that are not secrets
// of ours, comments among them, stay as they are.
type File struct {
	Set  Set // what the file says, of all variables in it
	text string
}

// ReadFile reads the file; one that is missing is empty. A file that can't be
// understood is refused rather than replaced.
func ReadFile(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	values, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("read secrets: %s: %w", path, err)
	}
	return &File{Set: values, text: string(text)}, nil
}

// parse reads values as Docker Compose does, without this process's own
// variables. The error of the parser would quote the line, and so a secret.
func parse(text string) (Set, error) {
	values, err := dotenv.UnmarshalWithLookup(text, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, errors.New("not a .env file")
	}
	return values, nil
}

// Write puts f.Set into the file, readable by its owner only, all at once: a
// crash leaves either the old file or the new one.
func (f *File) Write(path string) error {
	text, err := f.render()
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	defer os.Remove(file.Name()) // nothing to remove once renamed
	_, err = file.WriteString(text)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	f.text = text
	return nil
}

const fileIntro = `# Secrets of one installation. Keep a copy where it is safe: AUTH_KEY_SECRET
# seals signing keys and keys hashes for ever, TLS_CA_KEY signs the next
# certificates, and the seeds of admin, operator and system are nowhere else.
`

// render is the file's text with what has changed replaced in place, and what
// is new at the end.
func (f *File) render() (string, error) {
	was, err := parse(f.text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if f.text == "" {
		b.WriteString(fileIntro)
	}
	for _, part := range split(f.text) {
		if value, ok := f.Set[part.name]; ok && part.name != "" && value != was[part.name] {
			b.WriteString(assignment(part.name, value))
			continue
		}
		b.WriteString(part.text)
	}
	if text := b.String(); text != "" && !strings.HasSuffix(text, "\n") {
		b.WriteByte('\n')
	}
	for _, name := range Names() {
		if _, ok := was[name]; !ok && f.Set[name] != "" {
			b.WriteString(assignment(name, f.Set[name]))
		}
	}
	return b.String(), nil
}

// plain values need no quotes.
var plain = regexp.MustCompile(`^[A-Za-z0-9_+/=.:@-]*$`)

// assignment is a variable's line, or its lines: PEM has several, in quotes.
// None of our values has a quote, a backslash or a dollar sign.
func assignment(name, value string) string {
	if plain.MatchString(value) {
		return name + "=" + value + "\n"
	}
	return name + `="` + value + `"` + "\n"
}
