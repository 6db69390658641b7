"""The public names of every package, pinned: a change here is a change of the interface."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import edge

EXPORTS = {
    "edge": [
        "BadModelFile",
        "BadProfile",
        "BadSessionFile",
        "Cancelled",
        "Completion",
        "ContextExceeded",
        "DoesNotFit",
        "EdgeError",
        "GrammarError",
        "Model",
        "ModelFileError",
        "NativeError",
        "NumericalError",
        "RequestError",
        "Session",
        "SessionFileError",
        "StaleSessionFile",
        "Stream",
        "TemplateError",
        "Timings",
        "Token",
        "UnsupportedModel",
        "Usage",
        "load",
    ],
    "edge.backends": ["Backend", "Batch", "Limits"],
    "edge.bench": ["BenchOptions", "BenchReport", "LoadOptions", "StepBytes", "Steps", "bench", "step_matrix_bytes"],
    "edge.calibration": ["Calibration", "Grams", "collect", "read_imatrix", "shipped_text", "write_imatrix"],
    "edge.cli": ["main"],
    "edge.convert": ["Converted", "Opened", "Recipe", "convert", "open_source"],
    "edge.damage": [
        "Damage",
        "LoadOptions",
        "Passage",
        "damage_metadata",
        "measure",
        "quantisation_metadata",
        "sample_passage",
        "stamp",
    ],
    "edge.engine": [
        "AdapterUse",
        "BlockManager",
        "Constraint",
        "Engine",
        "EngineStats",
        "FinishReason",
        "Policy",
        "Priority",
        "SamplingParams",
        "Scheduler",
        "Sequence",
    ],
    "edge.conform": ["Finding", "Server", "conform"],
    "edge.device_profiles": [],
    "edge.export": ["GGUFWriter", "SourceTensor", "TensorSource"],
    "edge.export.architectures": ["CLASSES", "Layout", "layout_of", "module_shape"],
    "edge.export.tokenizers": ["Converted", "tokenizer_of"],
    "edge.formats": ["GGMLType", "GGUFFile", "TensorInfo", "ValueType", "open_gguf"],
    "edge.graph": [
        "AdapterMatrix",
        "Graph",
        "GraphBuilder",
        "GraphError",
        "LoweredAdapters",
        "NativeProgram",
        "RopeSpec",
        "Value",
        "WeightRef",
        "lower_adapters",
        "lower_native",
        "rope_spec",
    ],
    "edge.graph.blocks": ["Blocks", "split_blocks"],
    "edge.grammar": ["CallFormat", "Constraints", "Grammar", "can_hold", "grammar_of", "tool_call_grammar"],
    "edge.memory": [
        "Budget",
        "MemoryPlan",
        "Settings",
        "compiled_for",
        "fitting",
        "parse_bytes",
        "plan_compiled",
        "plan_memory",
        "require_fit",
        "stream_to_fit",
        "with_grammar",
    ],
    "edge.models": ["ARCHITECTURES", "Architecture", "build"],
    "edge.native": [
        "BLOCK_SIZE",
        "KV",
        "MAX_THREADS",
        "OVERREAD_BYTES",
        "KVShape",
        "Program",
        "Refused",
        "Region",
        "Rope",
        "Sampler",
        "Stream",
        "Threads",
        "Weights",
        "gptq_round",
        "integer_peak",
        "isa_select",
        "isa_supported",
        "kv_block_bytes",
        "layout_version",
        "library_path",
        "matmul_speed",
        "quantise",
        "read_bandwidth",
        "region_bandwidth",
        "ring_bytes",
        "weights_sizes",
    ],
    "edge.packed": ["CacheOptions", "PackedCache", "PackedFile", "PackedMatrix", "Residency"],
    "edge.predict": ["Estimate", "Prediction", "Question", "predict_speed"],
    "edge.probe": ["Finding", "Sample", "full_probe", "quick_probe"],
    "edge.profiles": [
        "Machine",
        "Profile",
        "levels_of",
        "load_profile",
        "load_shipped",
        "parse_profile",
        "shipped",
        "to_toml",
    ],
    "edge.quant": ["DECODABLE", "ENCODABLE", "decode", "encode"],
    "edge.quant.decoders": ["DECODERS", "Bytes", "FloatType", "Floats"],
    "edge.quant.methods": [
        "Fold",
        "ScaledSource",
        "TensorSource",
        "absmean",
        "awq",
        "find_folds",
        "gptq",
        "smoothquant_plus",
    ],
    "edge.serve": ["ServeSettings"],
    "edge.sessions": ["Fingerprint", "SavedFile", "SavedPlaces", "Session"],
    "edge.tuning": ["Asked", "Choice", "Workload", "choose", "tune", "tune_by_profile"],
    "edge.templates": ["ChatTemplate", "render"],
    "edge.tools": [
        "Call",
        "CallParser",
        "Choice",
        "FORMATS",
        "MAX_CHARACTERS",
        "MAX_TOOLS",
        "Said",
        "ToolCall",
        "ToolChoice",
        "ToolFormat",
        "choice_of",
        "format_of",
        "function_tools",
    ],
    "edge.tokenizer": ["StreamDecoder", "TokenType", "Tokenizer", "Vocabulary"],
}


def packages() -> list[str]:
    return ["edge", *(info.name for info in pkgutil.walk_packages(edge.__path__, "edge.") if info.ispkg)]


def test_every_package_is_pinned() -> None:
    assert sorted(packages()) == sorted(EXPORTS)


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_exports(name: str) -> None:
    package = importlib.import_module(name)
    exported: list[str] = getattr(package, "__all__", [])
    assert sorted(exported) == sorted(EXPORTS[name])
    for member in exported:
        assert getattr(package, member) is not None
