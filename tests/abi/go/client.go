// Package sabir is a driver in Go on sabir.h alone: tasks and actors of other languages, values, errors.
package sabir

// #cgo pkg-config: sabir
// #include <sabir/sabir.h>
import "C"

import (
	"encoding/json"
	"os/exec"
	"runtime"
)

type Language uint8

const (
	Python = Language(C.SABIR_LANGUAGE_PYTHON)
	Java   = Language(C.SABIR_LANGUAGE_JAVA)
	Go     = Language(C.SABIR_LANGUAGE_OTHERS)
)

// Config says which session to join or start, and how workers of other languages start.
type Config struct {
	Address, SessionRoot string
	CPUs                 float64
	Python               string   // an interpreter with the package sabir
	Java                 []string // the command of a worker
	CodeSearchPath       []string // modules and jars, for all languages
}

type Client struct{ raw *C.sabir_client }

func Start(config Config) (*Client, error) {
	var a arena
	defer a.free()
	raw := C.sabir_config{struct_size: C.sizeof_sabir_config}
	C.sabir_config_init(&raw)
	var languages []C.sabir_language_env
	add := func(language Language, mode C.sabir_launch_mode, argv []string) {
		languages = append(languages, C.sabir_language_env{
			language: C.sabir_language(language), mode: mode, argv: a.words(argv), argc: C.size_t(len(argv))})
	}
	var python struct{ Argv, Path []string }
	if config.Python != "" {
		answer, err := exec.Command(config.Python, "-m", "sabir", "language-env").Output()
		if err == nil {
			err = json.Unmarshal(answer, &python)
		}
		if err != nil {
			return nil, &Error{Kind: NotFound, Message: config.Python + " has no package sabir: " + err.Error()}
		}
		add(Python, C.SABIR_LAUNCH_ZYGOTE, python.Argv)
	}
	if len(config.Java) != 0 {
		add(Java, C.SABIR_LAUNCH_EXEC, config.Java)
	}
	modules := append(append([]string{}, config.CodeSearchPath...), python.Path...)
	job, err := json.Marshal(map[string]any{"code_search_path": config.CodeSearchPath, "sys_path": modules})
	if err != nil {
		return nil, err
	}
	raw.language_envs, raw.language_env_count = lend(&a, languages), C.size_t(len(languages))
	raw.resources, raw.resource_count = lend(&a, []C.sabir_resource{{name: a.text("CPU"), amount: C.double(config.CPUs)}}), 1
	raw.address, raw.session_root = a.text(config.Address), a.text(config.SessionRoot)
	raw.job_name, raw.job_config, raw.log_to_driver = a.text("go"), a.bytes(job), 0
	raw.language = C.sabir_language(Go)
	client := &Client{}
	return client, call(func(failed **C.sabir_error) C.sabir_status {
		return C.sabir_client_start(&raw, &client.raw, failed)
	})
}

// Close leaves the session. References and actors may be dropped after it.
func (c *Client) Close() {
	C.sabir_client_destroy(c.raw)
	c.raw = nil
}

// What is to be called, and with what.
type request struct {
	arena
	function *C.sabir_function
	args     *C.sabir_arg
	count    C.size_t
}

func (c *Client) submit(kind C.sabir_function_kind, language Language, name string, args []any,
	send func(r *request, failed **C.sabir_error) C.sabir_status) error {
	var r request
	defer r.free()
	defer runtime.KeepAlive(args)
	return call(func(failed **C.sabir_error) C.sabir_status {
		r.args, r.count = r.arena.args(args), C.size_t(len(args))
		code := name
		if language == Python && kind != C.SABIR_FUNCTION_METHOD {
			code = "@" + name
		}
		status := C.sabir_function_export(c.raw, kind, C.sabir_language(language), r.text(name), r.bytes([]byte(code)), &r.function, failed)
		if status != C.SABIR_OK {
			return status
		}
		defer C.sabir_function_release(r.function)
		return send(&r, failed)
	})
}

// Task calls a function: "module:name" in Python, "package.Class::method" in Java.
func (c *Client) Task(language Language, name string, args ...any) (*Ref, error) {
	ref := c.newRef()
	return ref, c.submit(C.SABIR_FUNCTION_TASK, language, name, args, func(r *request, failed **C.sabir_error) C.sabir_status {
		options := C.sabir_task_options{struct_size: C.sizeof_sabir_task_options}
		C.sabir_task_options_init(&options)
		var task *C.sabir_task
		if status := C.sabir_task_prepare(c.raw, r.function, &options, &task, failed); status != C.SABIR_OK {
			return status
		}
		defer C.sabir_task_release(task)
		return C.sabir_task_submit(task, r.args, r.count, &ref.raw, failed)
	})
}

type Actor struct {
	client   *Client
	raw      *C.sabir_actor
	language Language
}

// Actor makes one of a class: "module:Class" in Python, "package.Class" in Java. A name may be empty.
func (c *Client) Actor(language Language, class, name string, args ...any) (*Actor, error) {
	actor := &Actor{client: c, language: language}
	runtime.SetFinalizer(actor, func(a *Actor) { C.sabir_actor_release(a.raw) })
	return actor, c.submit(C.SABIR_FUNCTION_CLASS, language, class, args, func(r *request, failed **C.sabir_error) C.sabir_status {
		options := C.sabir_actor_options{struct_size: C.sizeof_sabir_actor_options}
		C.sabir_actor_options_init(&options)
		options.name = r.text(name)
		return C.sabir_actor_create(c.raw, r.function, &options, r.args, r.count, &actor.raw, failed)
	})
}

// Call calls a method. Calls of this process run in the order in which they were made.
func (a *Actor) Call(method string, args ...any) (*Ref, error) {
	ref := a.client.newRef()
	defer runtime.KeepAlive(a)
	return ref, a.client.submit(C.SABIR_FUNCTION_METHOD, a.language, method, args, func(r *request, failed **C.sabir_error) C.sabir_status {
		return C.sabir_actor_submit(a.raw, r.function, 1, r.args, r.count, &ref.raw, failed)
	})
}

func (a *Actor) Kill() error {
	defer runtime.KeepAlive(a)
	return call(func(failed **C.sabir_error) C.sabir_status { return C.sabir_actor_kill(a.raw, 1, failed) })
}
