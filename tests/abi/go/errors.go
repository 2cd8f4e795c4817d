package sabir

// #include <sabir/sabir.h>
import "C"
import "fmt"

type Status int32

const (
	InvalidArgument = Status(C.SABIR_INVALID_ARGUMENT)
	NotFound        = Status(C.SABIR_NOT_FOUND)
	Timeout         = Status(C.SABIR_TIMEOUT)
	Interrupted     = Status(C.SABIR_INTERRUPTED)
	TaskFailed      = Status(C.SABIR_TASK_FAILED)
	ActorDied       = Status(C.SABIR_ACTOR_DIED)
)

// Error is what failed, here or in the code that was called: Type and Stack are those of its language.
type Error struct {
	Kind     Status
	Message  string
	Language Language
	Type     string
	Stack    string
	Cause    *Error
}

func (e *Error) Error() string {
	return fmt.Sprint(text(C.sabir_status_name(C.sabir_status(e.Kind))), ": ", e.Type, " ", e.Message)
}

func (e *Error) Unwrap() error {
	if e.Cause == nil {
		return nil // not a nil pointer in an interface
	}
	return e.Cause
}

// recovered, deferred, makes an error of a value that cannot be written or read.
func recovered(err *error) {
	if why := recover(); why != nil {
		*err = &Error{Kind: InvalidArgument, Message: fmt.Sprint(why)}
	}
}

// call makes an error of what a function of the interface says.
func call(function func(**C.sabir_error) C.sabir_status) (err error) {
	defer recovered(&err)
	var failed *C.sabir_error
	if status := function(&failed); status != C.SABIR_OK {
		defer C.sabir_error_destroy(failed)
		return &Error{Kind: Status(status), Message: text(C.sabir_error_message(failed))}
	}
	return nil
}

// errorOf reads an error value: a map with the fields of docs/values.md.
func errorOf(value any) *Error {
	fields, _ := value.(map[string]any)
	field := func(key string) string { text, _ := fields[key].(string); return text }
	kind, _ := fields["kind"].(int64)
	language, _ := fields["language"].(int64)
	made := &Error{Status(kind), field("message"), Language(language), field("type"), field("stack"), nil}
	if fields["cause"] != nil {
		made.Cause = errorOf(fields["cause"])
	}
	return made
}
