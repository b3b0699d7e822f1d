"""What is known of a few names that are not in the repository: builtin classes, PyTorch's, and decorators.

In: a dotted name. Out: attributes, or what a decorator does. Must not know the repository. Nothing is imported.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Literal

_MODULE_WORDS = """
    T_destination _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl _forward_hooks
    _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks _forward_pre_hooks_with_kwargs
    _get_backward_hooks _get_backward_pre_hooks _get_name _is_full_backward_hook _load_from_state_dict
    _load_state_dict_post_hooks _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members
    _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook _register_state_dict_hook
    _replicate_for_data_parallel _save_to_state_dict _slow_forward _state_dict_hooks _state_dict_pre_hooks _version
    _wrapped_call_impl add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
    eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict
    modules mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
    _backend _all_buffers _all_parameters"""
_MODULE = frozenset(_MODULE_WORDS.split())
_DATASET = frozenset({"functions", "register_function", "register_datapipe_as_function", "_is_protocol"})
_TORCH: Mapping[str, frozenset[str]] = {
    "torch.nn.Module": _MODULE,
    "torch.nn.modules.Module": _MODULE,
    "torch.nn.modules.module.Module": _MODULE,
    "torch.utils.data.Dataset": _DATASET,
    "torch.utils.data.dataset.Dataset": _DATASET,
}
NN_MODULES = frozenset(name for name in _TORCH if name.endswith(".Module"))

_EMPTY = ("object", "abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol", "builtins.object")
EMPTY: frozenset[str] = frozenset(_EMPTY)
"""Classes that bring neither attributes nor a constructor."""

_CLOSED_BUILTINS = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and value is not type and value is not super
)
_OBJECT = frozenset(dir(object)) | {"__dict__", "__module__", "__weakref__", "__annotations__", "__slots__"}

_RETURN_SELF = "to cuda cpu eval train half float double bfloat16 requires_grad_ share_memory apply type to_empty xpu"
RETURN_SELF = frozenset(_RETURN_SELF.split())
"""Methods of a PyTorch module that return the module."""

Role = Literal["plain", "static", "class", "property", "overload", "dataclass"]
_ROLES: Mapping[Role, str] = {
    "plain": """abc.abstractmethod functools.lru_cache functools.cache functools.wraps typing.final typing.override
        typing.no_type_check typing_extensions.final typing_extensions.override contextlib.contextmanager
        contextlib.asynccontextmanager functools.total_ordering torch.no_grad torch.inference_mode torch.enable_grad
        torch.jit.ignore torch.jit.unused torch.jit.export torch.jit.script torch.jit.script_method
        torch.cuda.amp.custom_fwd torch.cuda.amp.custom_bwd torch.cuda.amp.autocast torch.autocast torch.compile
        torch.autograd.no_grad torch.set_grad_enabled torch.jit.interface numba.njit numba.jit jax.jit atexit.register
        flax.linen.compact tensorflow.function typing.runtime_checkable typing_extensions.runtime_checkable
        enum.unique torch.compiler.disable torch._dynamo.disable""",
    "static": "builtins.staticmethod",
    "class": "builtins.classmethod",
    "property": "builtins.property functools.cached_property abc.abstractproperty",
    "overload": "typing.overload typing_extensions.overload",
    "dataclass": "dataclasses.dataclass",
}
_ROLE_OF: Mapping[str, Role] = {name: role for role, names in _ROLES.items() for name in names.split()}


def role_of(decorator: str) -> Role | None:
    """Say what a decorator outside the repository does; None when that is not known."""
    return _ROLE_OF.get(decorator)


def attributes_of(dotted: str) -> frozenset[str] | None:
    """Return the attributes that instances of a class have; None when they are not known."""
    if dotted in EMPTY:
        return _OBJECT
    if dotted in _TORCH:
        return _TORCH[dotted] | _OBJECT
    module, _, name = dotted.rpartition(".")
    if module == "builtins" and name in _CLOSED_BUILTINS:
        return frozenset(dir(getattr(builtins, name))) | _OBJECT
    return None
