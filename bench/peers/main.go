// Servers in Go to measure plugind against: Fiber in front of Extism's Go SDK, which runs plugins
// with wazero's compiler. Three are those of the article (shared without a lock, an instance a
// request, a mutex), two are the best that Go can do (compiled once, a pool), one has no plugin.
//
//	peers -mode mutex -wasm hello.wasm -function hello
//
// The port is the system's choice; the first line of stdout says it.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"sort"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// caller answers one request. It is called from as many goroutines as there are requests.
type caller interface {
	call(input []byte) ([]byte, error)
}

// modes holds what makes the caller of each mode.
var modes = map[string]func(context.Context, plugin, int) (caller, error){
	"bare":                 newBare,
	"shared-unlocked":      newShared,
	"instance-per-request": newInstancePerRequest,
	"mutex":                newMutex,
	"compiled-once":        newCompiledOnce,
	"pool":                 newPool,
}

func main() {
	mode := flag.String("mode", "mutex", "one of "+strings.Join(modeNames(), ", "))
	wasm := flag.String("wasm", "", "wasm file")
	function := flag.String("function", "", "function of the plugin")
	size := flag.Int("pool", 4, "instances of mode pool")
	flag.Parse()
	if err := serve(*mode, plugin{file: *wasm, function: *function}, *size); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func modeNames() []string {
	names := make([]string, 0, len(modes))
	for name := range modes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func serve(mode string, from plugin, size int) error {
	create, ok := modes[mode]
	if !ok {
		return fmt.Errorf("unknown mode %q", mode)
	}
	called, err := create(context.Background(), from, size)
	if err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/", func(c *fiber.Ctx) error {
		output, err := called.call(c.Body())
		if err != nil {
			return c.Status(fiber.StatusConflict).SendString(err.Error())
		}
		return c.Send(output)
	})
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening http://%s\n", listener.Addr())
	return app.Listener(listener)
}
