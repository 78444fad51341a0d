package main

import (
	"context"
	"time"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
)

// plugin says which function of which file is served.
type plugin struct {
	file     string
	function string
}

func (p plugin) manifest() extism.Manifest {
	return extism.Manifest{Wasm: []extism.Wasm{extism.WasmFile{Path: p.file}}}
}

// config is the article's: WASI on, with the system's clock.
func config() extism.PluginConfig {
	return extism.PluginConfig{
		EnableWasi:   true,
		ModuleConfig: wazero.NewModuleConfig().WithSysWalltime(),
	}
}

// hostFunctions holds what the plugin `wait` imports: bench.wait(milliseconds).
func hostFunctions() []extism.HostFunction {
	wait := extism.NewHostFunctionWithStack(
		"wait",
		func(_ context.Context, _ *extism.CurrentPlugin, stack []uint64) {
			time.Sleep(time.Duration(stack[0]) * time.Millisecond)
		},
		[]extism.ValueType{extism.ValueTypeI64},
		[]extism.ValueType{},
	)
	wait.SetNamespace("bench")
	return []extism.HostFunction{wait}
}

// load compiles and instantiates.
func (p plugin) load(ctx context.Context) (*extism.Plugin, error) {
	return extism.NewPlugin(ctx, p.manifest(), config(), hostFunctions())
}

// compile only compiles; instances are made of the result.
func (p plugin) compile(ctx context.Context) (*extism.CompiledPlugin, error) {
	return extism.NewCompiledPlugin(ctx, p.manifest(), config(), hostFunctions())
}

func instantiate(ctx context.Context, compiled *extism.CompiledPlugin) (*extism.Plugin, error) {
	return compiled.Instance(ctx, extism.PluginInstanceConfig{ModuleConfig: config().ModuleConfig})
}
