package sabir

import (
	"errors"
	"math/rand"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

const patience = 60 * time.Second

// One session for all tests. test_go.py says what there is to call: see programs/.
var session *Client

func TestMain(m *testing.M) {
	var err error
	session, err = Start(Config{
		Address:        "local",
		SessionRoot:    os.Getenv("SABIR_TEST_ROOT"),
		CPUs:           2,
		Python:         os.Getenv("SABIR_PYTHON"),
		Java:           []string{os.Getenv("SABIR_TEST_JAVA_WORKER"), os.Getenv("SABIR_JAVA_JAR")},
		CodeSearchPath: strings.Split(os.Getenv("SABIR_TEST_CODE"), ":"),
	})
	if err != nil {
		panic(err)
	}
	status := m.Run()
	runtime.GC() // finalizers before the end, and some after it
	session.Close()
	runtime.GC()
	os.Exit(status)
}

func get(t *testing.T, ref *Ref, err error) any {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	value, err := ref.Get(patience)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func expect(t *testing.T, got, wanted any) {
	t.Helper()
	if !reflect.DeepEqual(got, wanted) {
		t.Fatalf("%#v, not %#v", got, wanted)
	}
}

// failure is the typed error of a call.
func failure(t *testing.T, ref *Ref, err error) *Error {
	t.Helper()
	var value any
	if err == nil {
		value, err = ref.Get(patience)
	}
	var typed *Error
	if !errors.As(err, &typed) {
		t.Fatalf("%v and %v, not an error", value, err)
	}
	return typed
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("%q is not in %q", part, text)
	}
}

func TestValuesComeBack(t *testing.T) {
	for _, value := range []any{nil, true, false, int64(-1), int64(1) << 62, 0.5, "", "text \u00e9", []byte{0, 255},
		[]any{int64(1), []any{"two", nil}}, map[string]any{"a": []any{0.25}, "b": map[string]any{}}} {
		ref, err := session.Put(value, patience)
		expect(t, get(t, ref, err), value)
		ref, err = session.Task(Python, "called:same", value)
		expect(t, get(t, ref, err), value)
		ref, err = session.Task(Java, "Called::same", value)
		expect(t, get(t, ref, err), value)
	}
	large := strings.Repeat("x", 1<<20)
	ref, err := session.Task(Python, "called:same", large)
	expect(t, get(t, ref, err), large)
}

func TestReferences(t *testing.T) {
	twenty, err := session.Put(20, patience)
	if err != nil {
		t.Fatal(err)
	}
	difference, err := session.Task(Python, "called:minus", twenty, Named{"b", 18})
	expect(t, get(t, difference, err), int64(2))
	again, err := session.Task(Java, "Called::minus", twenty, difference)
	expect(t, get(t, again, err), int64(18))
	// In a list they stay references, and come back as such.
	list, err := session.Task(Python, "called:same", []any{twenty, "and", again})
	back := get(t, list, err).([]any)
	runtime.GC()
	expect(t, get(t, back[0].(*Ref), nil), int64(20))
	expect(t, get(t, back[2].(*Ref), nil), int64(18))
}

func TestActors(t *testing.T) {
	for _, class := range []struct {
		language Language
		name     string
	}{{Java, "Counter"}, {Python, "called:Counter"}} {
		actor, err := session.Actor(class.language, class.name, "", 5)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 100; i++ {
			if _, err := actor.Call("add", i); err != nil {
				t.Fatal(err)
			}
		}
		total, err := actor.Call("add", 0)
		expect(t, get(t, total, err), int64(5+99*100/2))
		if err := actor.Kill(); err != nil {
			t.Fatal(err)
		}
		dead, err := actor.Call("add", 1)
		expect(t, failure(t, dead, err).Kind, ActorDied)
	}
}

func TestErrorsOfPython(t *testing.T) {
	ref, err := session.Task(Python, "called:fail", "x")
	failed := failure(t, ref, err)
	expect(t, failed.Kind, TaskFailed)
	expect(t, failed.Language, Python)
	expect(t, failed.Type, "builtins.RuntimeError")
	contains(t, failed.Message, "cannot count x")
	contains(t, failed.Stack, "called.py")
	contains(t, failed.Stack, "ValueError: invalid literal") // what it came from
}

func TestErrorsOfJava(t *testing.T) {
	ref, err := session.Task(Java, "Called::fail", "x")
	failed := failure(t, ref, err)
	expect(t, failed.Kind, TaskFailed)
	expect(t, failed.Language, Java)
	expect(t, failed.Type, "java.lang.IllegalStateException")
	contains(t, failed.Message, "cannot count x")
	contains(t, failed.Stack, "Called.java")
	var cause *Error
	if !errors.As(errors.Unwrap(failed), &cause) {
		t.Fatalf("no cause in %#v", failed)
	}
	expect(t, cause.Type, "java.lang.NumberFormatException")
}

func TestWrongCalls(t *testing.T) {
	ref, err := session.Task(Python, "called:nothing_of_this_name")
	contains(t, failure(t, ref, err).Message, "nothing_of_this_name")
	ref, err = session.Task(Java, "Nowhere::same", 1)
	contains(t, failure(t, ref, err).Message, "Nowhere")
	ref, err = session.Task(Python, "called:same", struct{}{})
	failed := failure(t, ref, err)
	expect(t, failed.Kind, InvalidArgument)
	contains(t, failed.Message, "struct {}")
	ref, err = session.Task(Python, "called:own_object")
	contains(t, failure(t, ref, err).Message, "called.Counter")
	slow, err := session.Task(Python, "time:sleep", 30.0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = slow.Get(50 * time.Millisecond)
	expect(t, failure(t, nil, err).Kind, Timeout)
}

func readOnly(data []byte) (err error) {
	defer recovered(&err)
	read(data, nil)
	return nil
}

// What arrives is not trusted: damaged bytes are errors, whatever they are.
func TestDamagedValues(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	var wrong int
	for round := 0; round < 50000; round++ {
		data := make([]byte, random.Intn(40))
		random.Read(data)
		if len(data) > 1 && round%2 == 0 {
			data[0] = "ldstbr"[random.Intn(6)]
		}
		if readOnly(data) != nil {
			wrong++
		}
	}
	if wrong < 40000 {
		t.Fatalf("only %d of 50000 random values are refused", wrong)
	}
}
