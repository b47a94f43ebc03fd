package auth

import (
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"io/fs"
	"os"
	"path"
	"strings"
	text "text/template"

	"github.com/parley-im/parley/pkg/contract"
)

// builtIn are the templates of letters: LANGUAGE/KIND.txt and .html.
//
//go:embed templates
var builtIn embed.FS

// english is the language of who does not say.
const english = "en"

// languages are those that letters are written in.
var languages = []string{english, "zh"}

// letterKinds are the purposes of codes, and letterKnown.
var letterKinds = []string{string(contract.PurposeRegister), string(contract.PurposeResetPassword), letterKnown}

// stationery is what letters are written on, by language and kind.
type stationery struct {
	sheets map[sheetName]sheet
}

type sheetName struct{ language, kind string }

func (n sheetName) file(ext string) string { return n.language + "/" + n.kind + ext }

// sheet is one letter's templates.
type sheet struct {
	text *text.Template // its first line is "Subject: " and the subject
	html *html.Template
}

// letterData is what templates may use.
type letterData struct {
	Code    string // six digits; empty in the letter to whoever has an account
	Minutes int    // how long the code is good
}

// newStationery reads the templates, each from the directory if it has that
// file, else the built-in one, and writes each letter once: what is wrong shows
// at the start rather than when somebody waits for a code. A file that is no
// letter's is an error, since it is a misspelt one.
func newStationery(dir string) (*stationery, error) {
	files, err := fs.Sub(builtIn, "templates")
	if err != nil {
		return nil, fmt.Errorf("read mail templates: %w", err)
	}
	read := func(name string) ([]byte, error) { return fs.ReadFile(files, name) }
	if dir != "" {
		own := os.DirFS(dir)
		if err := onlyLetters(own); err != nil {
			return nil, fmt.Errorf("AUTH_MAIL_TEMPLATES: %w", err)
		}
		read = func(name string) ([]byte, error) {
			content, err := fs.ReadFile(own, name)
			if errors.Is(err, fs.ErrNotExist) {
				return fs.ReadFile(files, name)
			}
			return content, err
		}
	}
	s := &stationery{sheets: map[sheetName]sheet{}}
	for _, language := range languages {
		for _, kind := range letterKinds {
			name := sheetName{language, kind}
			if s.sheets[name], err = newSheet(name, read); err != nil {
				return nil, fmt.Errorf("AUTH_MAIL_TEMPLATES: %w", err)
			}
		}
	}
	return s, nil
}

// onlyLetters names the first file that no letter would be written from. What
// begins with a dot is passed over, and links are followed: volumes of
// Kubernetes are made of such.
func onlyLetters(dir fs.FS) error {
	known := map[string]bool{}
	for _, language := range languages {
		known[language] = true
		for _, kind := range letterKinds {
			known[sheetName{language, kind}.file(".txt")] = true
			known[sheetName{language, kind}.file(".html")] = true
		}
	}
	names, err := visible(dir, ".")
	if err != nil {
		return err
	}
	for _, name := range names {
		inside := []string{name}
		if info, err := fs.Stat(dir, name); err == nil && info.IsDir() && known[name] {
			if inside, err = visible(dir, name); err != nil {
				return err
			}
		}
		for _, name := range inside {
			if !strings.Contains(name, "/") || !known[name] {
				return fmt.Errorf("%s is no template: they are LANGUAGE/KIND.txt and .html, of %s, and of %s",
					name, strings.Join(languages, ", "), strings.Join(letterKinds, ", "))
			}
		}
	}
	return nil
}

// visible lists a directory, by paths from the root.
func visible(dir fs.FS, name string) ([]string, error) {
	entries, err := fs.ReadDir(dir, name)
	var names []string
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, path.Join(name, entry.Name()))
		}
	}
	return names, err
}

func newSheet(name sheetName, read func(string) ([]byte, error)) (sheet, error) {
	plain, err := read(name.file(".txt"))
	if err != nil {
		return sheet{}, err
	}
	rich, err := read(name.file(".html"))
	if err != nil {
		return sheet{}, err
	}
	var s sheet
	if s.text, err = text.New(name.file(".txt")).Option("missingkey=error").Parse(string(plain)); err != nil {
		return sheet{}, err
	}
	if s.html, err = html.New(name.file(".html")).Option("missingkey=error").Parse(string(rich)); err != nil {
		return sheet{}, err
	}
	return s, s.check(name)
}

// check writes the letter once.
func (s sheet) check(name sheetName) error {
	const code = "271828"
	got, err := s.fill(code)
	switch {
	case err != nil:
		return err
	case strings.Contains(got.subject, code):
		return fmt.Errorf("%s has the code in its subject, which shows on locked screens", name.file(".txt"))
	case name.kind == letterKnown:
		return nil
	case !strings.Contains(got.text, code):
		return fmt.Errorf("%s does not show {{.Code}}", name.file(".txt"))
	case !strings.Contains(got.html, code):
		return fmt.Errorf("%s does not show {{.Code}}", name.file(".html"))
	}
	return nil
}

// written is a letter's words.
type written struct{ subject, text, html string }

func (s sheet) fill(code string) (written, error) {
	data := letterData{Code: code, Minutes: int(codeTTL.Minutes())}
	var plain, rich strings.Builder
	if err := s.text.Execute(&plain, data); err != nil {
		return written{}, err
	}
	if err := s.html.Execute(&rich, data); err != nil {
		return written{}, err
	}
	first, rest, _ := strings.Cut(strings.ReplaceAll(plain.String(), "\r\n", "\n"), "\n")
	subject, ok := strings.CutPrefix(first, "Subject: ")
	if subject = strings.TrimSpace(subject); !ok || subject == "" {
		return written{}, fmt.Errorf("%s must begin with a line: Subject: …", s.text.Name())
	}
	return written{subject: subject, text: strings.TrimLeft(rest, "\n"), html: rich.String()}, nil
}
