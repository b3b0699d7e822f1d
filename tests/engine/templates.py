"""Chat templates in the manner of each family of models, and what each makes of a system message and a question."""

from __future__ import annotations

from dataclasses import dataclass

from paper2code_local.engine.reasoning import Reasoning


@dataclass(frozen=True)
class Family:
    """A template and what it makes of the system message "Be brief." and the user's "Why?"."""

    template: str
    text: str
    bos: str = ""
    marks: tuple[str, ...] = ()
    """Special tokens that the template writes."""
    reasoning: Reasoning | None = None
    """What its models must be told to think like; found out by itself where None."""
    thinks: bool = False
    """Whether they think before they answer."""


LLAMA = Family(
    template="""{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%d %b %Y") if strftime_now is defined else "26 Jul 2024" %}
{%- endif %}
{%- set tools_in_user_message = tools_in_user_message is not defined or tools_in_user_message %}
{%- if messages[0]['role'] == 'system' %}
    {%- set instructions = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set instructions = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}{{- "Environment: ipython\\n" }}{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" + instructions + "<|eot_id|>" }}
{%- if tools_in_user_message and not tools is none %}{{- raise_exception("No tools here") }}{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim }}
        {{- '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}""",
    text="<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nToday Date: 01 Jan 2025\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    bos="<|begin_of_text|>",
    marks=("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
)
CHATML = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
CHATML_MARKS = ("<|im_start|>", "<|im_end|>")
QWEN2 = Family(
    template="""{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- for tool in tools %}{{- tool | tojson(indent=2) }}{%- endfor %}
{%- elif messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou are helpful.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or
           (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
""",
    text=CHATML,
    marks=CHATML_MARKS,
)
QWEN3 = Family(
    template="""{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string
           and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}
    {%- else %}{%- set content = '' %}{%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}""",
    text=CHATML + "<think>\n\n</think>\n\n",
    marks=CHATML_MARKS,
    reasoning=Reasoning("qwen3"),
)
QWEN3_THINKING = Family(
    template=QWEN2.template.replace("'<|im_start|>assistant\\n'", "'<|im_start|>assistant\\n<think>\\n'"),
    text=CHATML + "<think>\n",
    marks=CHATML_MARKS,
    thinks=True,
)
GEMMA2 = Family(
    template="""{{ bos_token }}{% if messages[0]['role'] == 'system' %}
{{ raise_exception('System role not supported') }}{% endif %}
{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('Roles must alternate user/assistant/user/assistant/...') }}{% endif %}
{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}
{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}
{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}""",
    text="<bos><start_of_turn>user\nBe brief.\n\nWhy?<end_of_turn>\n<start_of_turn>model\n",
    bos="<bos>",
    marks=("<start_of_turn>", "<end_of_turn>"),
)
GEMMA3 = Family(
    template="""{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}{%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {{ '<start_of_turn>' + message['role'] + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}{{ raise_exception("Invalid content type") }}{%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{'<start_of_turn>model\\n'}}{%- endif -%}""",
    text=GEMMA2.text,
    bos="<bos>",
    marks=GEMMA2.marks,
)
MISTRAL = Family(
    template="""{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace(index=0) %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}{{- raise_exception("alternate") }}{%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}{{- "[INST] " + message["content"] + "[/INST]" }}{%- endif %}
    {%- endif %}
{%- endfor %}""",
    text="<s>[INST] Be brief.\n\nWhy?[/INST]",
    bos="<s>",
    marks=("[INST]", "[/INST]"),
)
TEKKEN = Family(
    template="""{%- set today = strftime_now("%Y-%m-%d") %}
{%- set parts = today.split("-") %}
{%- set default_system_message = "Today is " + today + ", the year is " + (parts[0] | int) | string %}
{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- if messages[0]['content'] is string %}{%- set system_message = messages[0]['content'] %}
    {%- else %}{%- set system_message = messages[0]['content'][0]['text'] %}{%- endif %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = default_system_message %}{%- set loop_messages = messages %}
{%- endif %}
{{- '[SYSTEM_PROMPT]' + system_message + '[/SYSTEM_PROMPT]' }}
{%- for message in loop_messages %}
    {%- if message['role'] == 'user' %}{{- '[INST]' + message['content'] + '[/INST]' }}
    {%- elif message['role'] == 'assistant' %}{{- message['content'] + eos_token }}
    {%- else %}{{- raise_exception('Only user and assistant roles are supported!') }}{%- endif %}
{%- endfor %}""",
    text="<s>[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Why?[/INST]",
    bos="<s>",
    marks=("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[INST]", "[/INST]"),
)
PHI3 = Family(
    template="""{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>
' + message['content'] + '<|end|>
'}}{% elif message['role'] == 'user' %}{{'<|user|>
' + message['content'] + '<|end|>
'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>
' }}{% else %}{{ eos_token }}{% endif %}""",
    text="<|system|>\nBe brief.<|end|>\n<|user|>\nWhy?<|end|>\n<|assistant|>\n",
    marks=("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
)
PHI4 = Family(
    template="""{% for message in messages %}{{ '<|im_start|>' + message['role'] + '<|im_sep|>' }}
{%- generation %}{{- message['content'] + '<|im_end|>' }}{% endgeneration %}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}""",
    text="<|im_start|>system<|im_sep|>Be brief.<|im_end|><|im_start|>user<|im_sep|>Why?<|im_end|>"
    "<|im_start|>assistant<|im_sep|>",
    marks=(*CHATML_MARKS, "<|im_sep|>"),
)
DEEPSEEK = Family(
    template="""{% if not thinking is defined %}{% set thinking = true %}{% endif %}
{% set ns = namespace(system_prompt='', is_first=true) %}
{%- for message in messages %}{%- if message['role'] == 'system' %}
{%- if ns.is_first %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first = false %}
{%- else %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}
{%- endif %}{%- endfor %}
{{- bos_token + ns.system_prompt }}
{%- for message in messages %}{%- if message['role'] == 'user' %}{{- '<｜User｜>' + message['content'] }}
{%- if loop.last and add_generation_prompt %}{{- '<｜Assistant｜>' }}
{%- if thinking %}{{- '<think>' }}{%- else %}{{- '</think>' }}{%- endif %}{%- endif %}
{%- endif %}{%- endfor %}""",
    text="<｜begin▁of▁sentence｜>Be brief.<｜User｜>Why?<｜Assistant｜></think>",
    bos="<｜begin▁of▁sentence｜>",
    marks=("<｜User｜>", "<｜Assistant｜>"),
    reasoning=Reasoning("deepseek_v3"),
)
DEEPSEEK_R1 = Family(
    template="""{{- bos_token }}{%- for message in messages %}{%- if message['role'] == 'system' %}
{{- message['content'] }}{%- elif message['role'] == 'user' %}{{- '<｜User｜>' + message['content'] }}{%- else %}
{{- '<｜Assistant｜>' + message['content'].split('</think>')[-1] }}{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<｜Assistant｜><think>\\n' }}{%- endif %}""",
    text="<｜begin▁of▁sentence｜>Be brief.<｜User｜>Why?<｜Assistant｜><think>\n",
    bos="<｜begin▁of▁sentence｜>",
    marks=("<｜User｜>", "<｜Assistant｜>"),
    thinks=True,
)
HARMONY = Family(
    template="""{%- macro tool_list(names) %}{%- for name in names %}{{- name + ", " }}{%- endfor %}{%- endmacro %}
{%- if reasoning_effort is not defined %}{%- set reasoning_effort = "medium" %}{%- endif %}
{%- if reasoning_effort not in ["low", "medium", "high"] %}{{- raise_exception("no such effort") }}{%- endif %}
{{- "<|start|>system<|message|>Current date: " + strftime_now("%Y-%m-%d") + "\\n\\n" }}
{{- "Reasoning: " + reasoning_effort + "\\n" }}
{%- if builtin_tools is defined and builtin_tools %}{{- tool_list(builtin_tools) }}{%- endif %}
{{- "<|end|>" }}
{%- if messages[0].role == "developer" or messages[0].role == "system" %}
    {{- "<|start|>developer<|message|># Instructions\\n\\n" + messages[0].content + "<|end|>" }}
    {%- set loop_messages = messages[1:] %}
{%- else %}{%- set loop_messages = messages %}{%- endif %}
{%- for message in loop_messages -%}
    {%- if message.thinking is defined %}{{- raise_exception("no thoughts of others") }}{%- endif %}
    {{- "<|start|>user<|message|>" + message.content + "<|end|>" }}
{%- endfor -%}
{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}""",
    text="<|start|>system<|message|>Current date: 2025-01-01\n\nReasoning: low\n<|end|>"
    "<|start|>developer<|message|># Instructions\n\nBe brief.<|end|>"
    "<|start|>user<|message|>Why?<|end|><|start|>assistant<|channel|>analysis<|message|>",
    marks=("<|start|>", "<|message|>", "<|end|>", "<|channel|>"),
    thinks=True,
)
GLM = Family(
    template="""[gMASK]<sop>
{%- if tools -%}<|system|>{% for tool in tools %}{{ tool | tojson(ensure_ascii=False) }}{% endfor %}{%- endif -%}
{%- macro visible_text(content) -%}
    {%- if content is string -%}{{- content }}
    {%- elif content is iterable and content is not mapping -%}
        {%- for item in content -%}
            {%- if item is mapping and item.type == 'text' -%}{{- item.text }}
            {%- elif item is string -%}{{- item }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}{{- content }}{%- endif -%}
{%- endmacro -%}
{% for m in messages %}
{%- if m.role == 'user' -%}<|user|>
{{ visible_text(m.content) }}
{{- '/nothink' if (enable_thinking is defined and not enable_thinking and
                   not visible_text(m.content).endswith("/nothink")) else '' -}}
{%- elif m.role == 'system' -%}<|system|>
{{ visible_text(m.content) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>
{{- '\\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' -}}
{%- endif -%}""",
    text="[gMASK]<sop><|system|>\nBe brief.<|user|>\nWhy?/nothink<|assistant|>\n<think></think>",
    marks=("[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>"),
    reasoning=Reasoning("glm45"),
)
PARTS = Family(
    template="""{% for message in messages %}<|im_start|>{{ message.role }}
{% for part in message.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}""",
    text=CHATML,
    marks=CHATML_MARKS,
)
WORDS_SWITCH_OFF = Family(
    template="""{%- if '/no_think' in messages[0].content %}{% set quiet = true %}{% endif %}
{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}
{{- message.content if message.role == 'user' else message.content | replace('/no_think', '') | trim }}
{{- '<|im_end|>\\n' }}{%- endfor %}
{{- '<|im_start|>assistant\\n' + ('<think></think>' if quiet else '<think>\\n') }}""",
    text=CHATML + "<think></think>",
    marks=CHATML_MARKS,
    reasoning=Reasoning("nemotron_v3", off="/no_think"),
)
SEED = Family(
    template="""{%- if thinking_budget is not defined %}{%- set thinking_budget = -1 %}{%- endif %}
{%- for message in messages %}{{- bos_token + message.role + '\\n' + message.content + eos_token }}{%- endfor %}
{%- for key, value in {0: 'none', 512: 'few'}.items() %}{%- if loop.index > 9 %}{% break %}{% endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- bos_token + 'assistant\\n' }}
    {%- if thinking_budget == 0 %}{{- '<seed:think><seed:cot_budget_reflect>' }}{%- endif %}
{%- endif %}""",
    text="<seed:bos>system\nBe brief.<seed:eos><seed:bos>user\nWhy?<seed:eos><seed:bos>assistant\n"
    "<seed:think><seed:cot_budget_reflect>",
    bos="<seed:bos>",
    marks=("<seed:eos>",),
    thinks=True,  # of how little it may think
)
FAMILIES = {
    "llama 3": LLAMA,
    "qwen 2.5": QWEN2,
    "qwen 3": QWEN3,
    "qwen 3 thinking": QWEN3_THINKING,
    "gemma 2": GEMMA2,
    "gemma 3": GEMMA3,
    "mistral": MISTRAL,
    "mistral tekken": TEKKEN,
    "phi 3": PHI3,
    "phi 4": PHI4,
    "deepseek": DEEPSEEK,
    "deepseek r1": DEEPSEEK_R1,
    "gpt-oss": HARMONY,
    "glm": GLM,
    "seed": SEED,
    "parts": PARTS,
    "off by words": WORDS_SWITCH_OFF,
}
EOS = {"<seed:bos>": "<seed:eos>"}
"""End tokens that a template writes, by the begin token."""
