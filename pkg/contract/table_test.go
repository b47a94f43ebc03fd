package contract_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// declared are the exported values of the package by the name of their type, such
// as "Method" or "Op", each with its literal if it is a constant.
func declared(t *testing.T) map[string]map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range decl.Specs {
				if spec, ok := s.(*ast.ValueSpec); ok {
					collect(spec, values)
				}
			}
		}
	}
	return values
}

func collect(spec *ast.ValueSpec, values map[string]map[string]string) {
	for i, name := range spec.Names {
		if !name.IsExported() || i >= len(spec.Values) {
			continue
		}
		kind, literal := typeOf(spec.Type), ""
		switch v := spec.Values[i].(type) {
		case *ast.CompositeLit:
			kind = typeOf(v.Type)
		case *ast.BasicLit:
			literal = v.Value
		}
		if kind != "" {
			if values[kind] == nil {
				values[kind] = map[string]string{}
			}
			values[kind][name.Name] = literal
		}
	}
}

func typeOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return typeOf(e.X)
	case *ast.IndexListExpr:
		return typeOf(e.X)
	}
	return ""
}

// TestTables_list_every_value: a method, push or event that is declared and not
// listed would have no permission, no documentation and no test.
func TestTables_list_every_value(t *testing.T) {
	table, err := os.ReadFile("table.go")
	if err != nil {
		t.Fatal(err)
	}
	values := declared(t)
	for kind, listed := range map[string]int{
		"Method": len(contract.Methods()), "Push": len(contract.Pushes()), "EventType": len(contract.Events()),
	} {
		for name := range values[kind] {
			if !strings.Contains(string(table), "\t"+name+".Info()") && !strings.Contains(string(table), " "+name+".Info()") {
				t.Errorf("%s %s is missing from table.go", kind, name)
			}
		}
		if len(values[kind]) != listed || listed == 0 {
			t.Errorf("%d of %s are declared, %d listed", len(values[kind]), kind, listed)
		}
	}
}

// TestTables_close_codes_have_reasons, and clients can read of each.
func TestTables_close_codes_have_reasons(t *testing.T) {
	doc, err := os.ReadFile("../../docs/websocket.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := declared(t)["CloseCode"]
	if len(codes) == 0 {
		t.Fatal("there is no close code")
	}
	for name, literal := range codes {
		code, err := strconv.Atoi(literal)
		if err != nil {
			t.Fatal(err)
		}
		if contract.CloseCode(code).Reason() == "" {
			t.Errorf("%s has no reason", name)
		}
		if !strings.Contains(string(doc), literal) {
			t.Errorf("docs/websocket.md does not name %s, %d", name, code)
		}
	}
}

// TestTables_ops_are_documented in docs/asyncapi.yaml.
func TestTables_ops_are_documented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ops := declared(t)["Op"]
	if len(ops) == 0 {
		t.Fatal("there is no op")
	}
	for name, literal := range ops {
		op, err := strconv.Unquote(literal)
		if err != nil {
			t.Fatal(err)
		}
		isPush := slices.ContainsFunc(contract.Pushes(), func(p contract.PushInfo) bool { return string(p.Op) == op })
		frame := "op: {const: " + op + "}"
		if isPush {
			frame = op
		}
		if !strings.Contains(string(doc), frame) {
			t.Errorf("docs/asyncapi.yaml does not have the frame %s of %s", op, name)
		}
	}
}
