"""Templates in Go's language. What the tables expect was held against Go 1.26 with Sprig 3."""

from __future__ import annotations

import time
from typing import Any

import pytest

from actions.gotemplate import ParseError, Record, RenderError, Source, Template, UnknownVariable

SCRIPT = "<script>alert('1')</script>"
DATA: dict[str, Any] = {
    "Name": "Ada",
    "Empty": "",
    "Yes": True,
    "N": 5,
    "L": ["a", "b", "c"],
    "E": [],
    "M": {"b": "2", "a": "1"},
    "Identity": {"traits": {"email": "ada+x@example.org", "language": "de", "nothing": None}},
    "Evil": SCRIPT,
    "JS": "javascript:alert(1)",
    "URL": "https://example.org/a b?x=1&y=<2>",
    "Odd": "a b'c\"d",
}


def render(text: str, data: dict[str, Any] | None = None, *, is_html: bool = False, **more: str) -> str:
    sources = [Source("main", text), *(Source(name, below) for name, below in more.items())]
    return Template(sources, is_html=is_html).render(Record(DATA if data is None else data))


# -- the language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", "hello"),
        ("{{ .Name }}{{.Name}}", "AdaAda"),
        ("a {{- .Name -}} b", "aAdab"),
        ("a \n {{- /* said to nobody */ -}} \n b", "ab"),
        ("x{{/* one\n two */}}y", "xy"),
        ("{{ if .Yes }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if .Empty }}1{{ else if .N }}2{{ else }}3{{ end }}", "2"),
        ("{{ with .Identity.traits }}{{ .email }} {{ $.Name }}{{ end }}", "ada+x@example.org Ada"),
        ("{{ with .Empty }}x{{ else with .Name }}{{ . }}{{ else }}none{{ end }}", "Ada"),
        ("{{ with $x := .Name }}{{ $x }}{{ end }}", "Ada"),
        ("{{ range .L }}[{{ . }}]{{ end }}", "[a][b][c]"),
        ("{{ range $i, $v := .L }}{{ $i }}{{ $v }} {{ end }}", "0a 1b 2c "),
        ("{{ range $v := .L }}{{ $v }}{{ end }}", "abc"),
        ("{{ range $k, $v := .M }}{{ $k }}{{ $v }}{{ end }}", "a1b2"),
        ("{{ range .E }}x{{ else }}empty{{ end }}", "empty"),
        ('{{ range .L }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ end }}', "ac"),
        ('{{ range .L }}{{ if eq . "b" }}{{ break }}{{ end }}{{ . }}{{ end }}', "a"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range $i, $v := .E }}x{{ else }}{{ $i }}{{ $v }}{{ end }}", "[][]"),
        ("{{ $x := 1 }}{{ if .Yes }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ $x := 1 }}{{ if .Yes }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"),
        ('{{ define "a" }}<{{ . }}>{{ end }}{{ template "a" .Name }}{{ template "a" }}', "<Ada><<no value>>"),
        ('{{ block "b" .L }}{{ range . }}{{ . }}{{ end }}{{ end }}', "abc"),
        ('{{ define "r" }}{{ if . }}{{ . }}{{ template "r" (sub . 1) }}{{ end }}{{ end }}{{ template "r" 3 }}', "321"),
        ("{{ (.Identity).traits.email }} {{ (index .L 0) | upper }}", "ada+x@example.org A"),
        (
            "{{ `raw \\n` }} {{ \"a\\tb\\u00fc\\x41\" }} {{ 'a' }} {{ 0x1F }} {{ 1_000 }} {{ -3 }} {{ 1.50 }}",
            "raw \\n a\tbüA 97 31 1000 -3 1.5",
        ),
        ("{{ .M }} {{ .L }} {{ true }}", "map[a:1 b:2] [a b c] true"),
    ],
)
def test_it_renders(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "plain", "html"),
    [
        ("{{ .Identity.traits.phone }}", "<no value>", ""),
        ("{{ .Identity.traits.address.city }}", "<no value>", ""),
        ("{{ .Identity.traits.nothing }}", "<no value>", ""),
        ('{{ if eq .Identity.traits.lang "de" }}de{{ else }}en{{ end }}', "en", "en"),
    ],
)
def test_what_is_missing_in_a_mapping_is_no_value(text: str, plain: str, html: str) -> None:
    assert (render(text), render(text, is_html=True)) == (plain, html)


def test_a_variable_that_a_message_does_not_have_is_an_error() -> None:
    with pytest.raises(UnknownVariable, match=r"main:2: this message has no variable \.RecoveryCod\. It has: RecoveryCode"):
        render("\n{{ .RecoveryCod }}", {"RecoveryCode": "1"})


def test_files_of_one_set_call_each_other_and_their_definitions() -> None:
    text = '{{ template "email.body.de.gotmpl" . }}{{ template "words" }}'
    others = {"email.body.de.gotmpl": "Hallo {{ .Name }}", "email.body.words.gotmpl": '{{ define "words" }}!{{ end }}'}

    assert render(text, **others) == "Hallo Ada!"


# -- functions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{{ eq .Name "x" "Ada" }} {{ ne .Name "x" }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt 1 2 }} {{ ge "b" "a" }}',
            "true true true true false true",
        ),
        ("{{ and .Yes .Name }} {{ and .Empty .Name }}|{{ or .Empty .Name }} {{ not .Empty }}", "Ada |Ada true"),
        ("{{ or .Name (index .L 99) }}", "Ada"),
        (
            '{{ index .L 1 }} {{ index .Identity "traits" "email" }} {{ slice .L 1 2 }} {{ slice "abcdef" 1 3 }}',
            "b ada+x@example.org [b] bc",
        ),
        ('{{ len .L }} {{ len "ü" }} {{ len .M }}', "3 2 2"),
        ('{{ print 1 2 "x" 3 4 }}|{{ println "a" 1 }}', "1 2x3 4|a 1\n"),
        ('{{ printf "%s %d %v %q %5d|%-5d|%05d %t" "a" 5 2.5 "q\\"x" 42 42 42 true }}', 'a 5 2.5 "q\\"x"    42|42   |00042 true'),
        ('{{ printf "%.2f %x %X %c %+d %03.0f %%" 3.14159 255 255 65 7 5.0 }}', "3.14 ff FF A +7 005 %"),
        ('{{ printf "%d" "x" }} {{ printf "%d" }} {{ printf "%d" 1 2 }}', "%!d(string=x) %!d(MISSING) 1%!(EXTRA int=2)"),
        ('{{ "a" | printf "%s-%s" "b" | upper }}', "B-A"),
        ('{{ html "<a>&\'" }} {{ js "it\'s <b>=" }} {{ urlquery "a b&c" }}', "&lt;a&gt;&amp;&#39; it\\'s \\u003Cb\\u003E\\u003D a+b%26c"),
        ('{{ upper "aü" }} {{ lower "AÜ" }} {{ title "hello world" }} {{ trim "  x " }}', "AÜ aü Hello World x"),
        ('{{ trimSuffix "b" "aab" }} {{ trimPrefix "a" "aab" }} {{ trimAll "$" "$5$" }}', "aa ab 5"),
        (
            '{{ replace "a" "b" "banana" }} {{ contains "an" "banana" }} {{ hasPrefix "ba" "banana" }} {{ hasSuffix "x" "b" }}',
            "bbnbnb true true false",
        ),
        (
            '{{ default "d" .Identity.traits.x }} {{ "" | default "d" }} {{ empty .E }} {{ coalesce .Empty "z" }}',
            "d d true z",
        ),
        (
            '{{ quote "a\\"b" 1 }} {{ squote "a" }} {{ join "-" .L }} {{ splitList "," "a,b" }} {{ cat "a" 1 "b" }}',
            '"a\\"b" "1" \'a\' a-b-c [a b] a 1 b',
        ),
        ('{{ list 1 2 }} {{ first .L }} {{ last .L }} {{ rest .L }} {{ append .L 1 }} {{ has "a" .L }}', "[1 2] a c [b c] [a b c 1] true"),
        (
            '{{ $d := dict "a" 1 }}{{ get $d "a" }} {{ hasKey $d "b" }} {{ $_ := set $d "b" 2 }}{{ $d }} {{ dig "x" "none" $d }}',
            "1 false map[a:1 b:2] none",
        ),
        ('{{ add 1 2 "3" }} {{ sub 5 7 }} {{ mul 2 3 }} {{ div -7 2 }} {{ mod -7 3 }} {{ max 1 5 3 }} {{ min 4 2 }}', "6 -2 6 -3 -1 5 2"),
        ('{{ int "42" }} {{ int 3.9 }} {{ round 2.345 2 }} {{ until 3 }} {{ toString 5 }}', "42 3 2.35 [0 1 2] 5"),
        (
            '{{ nospace " a b " }} {{ trunc 3 "abcdef" }} {{ trunc -3 "abcdef" }} {{ abbrev 5 "abcdefgh" }}',
            "ab abc def ab...",
        ),
        ('{{ repeat 3 "ab" }} {{ substr 1 3 "abcd" }} {{ ternary "y" "n" true }}', "ababab bc y"),
        ('{{ indent 2 "a\\nb" }}|{{ nindent 2 "a" }}', "  a\n  b|\n  a"),
        ('{{ b64enc "hi" }} {{ b64dec "aGk=" }} {{ sha256sum "x" | trunc 8 }} {{ toJson .M }}', 'aGk= hi 2d711642 {"a":"1","b":"2"}'),
    ],
)
def test_functions(text: str, expected: str) -> None:
    assert render(text) == expected


def test_a_text_of_a_person_is_no_template() -> None:
    assert render("{{ .Name }}", {"Name": '{{ .X }}{% now "Y" %}'}) == '{{ .X }}{% now "Y" %}'


# -- what is wrong, and where


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\nb {{ .Name", "main:2: the action that begins in line 2 is not closed"),
        ('\n\n{{ "abc }}', "main:3: the text is not closed"),
        ("{{ if .Yes }}x", "main:1: the template ends inside a block"),
        ("x\n{{ end }}", "main:2: {{end}} ends nothing"),
        ("{{ else }}", "{{else}} ends nothing"),
        ("{{ }}", "{{ }} is empty"),
        ("{{ if }}x{{ end }}", "a value is missing after if"),
        ("\n{{ uper .Name }}", 'main:2: there is no function "uper". Did you mean "upper"?'),
        ("{{ now }}", 'the function "now" is left out: its result is another one each time'),
        ("{{ randAlphaNum 5 }}", '"randAlphaNum" is left out'),
        ('{{ env "HOME" }}', 'the function "env" is left out: it reaches out of the template'),
        ("{{ $x }}", "there is no variable $x"),
        ("{{ $x = 1 }}", "there is no variable $x; := declares one"),
        ("{{ if .Yes }}{{ $x := 1 }}{{ end }}{{ $x }}", "there is no variable $x"),
        ('{{ template "nope" }}', 'there is no template "nope"'),
        ("{{ .Name .N }}", "only a function can be given arguments"),
        ('{{ "a" | .Name }}', "what stands after | must be a function"),
        ("{{ upper }}", '"upper" takes 1 arguments, not 0'),
        ('{{ "a" | replace "b" }}', '"replace" takes 3 arguments, not 2'),
        ("{{ break }}", "break stands outside of range"),
        ('{{ if .Yes }}{{ define "x" }}{{ end }}{{ end }}', "define cannot stand inside a block"),
        ("{{ (.Name }}", "a ) is missing"),
        ("{{ or 1 ($x := 2) }}{{ $x }}", "so many variables cannot be set here"),
        ('{{ "a"b }}', 'a space is missing before "b"'),
        ("{{ nil }}", "nil is not a command"),
        ("{{/* x }}", "the comment is not closed"),
        ("{{ .Name ; }}", '";" cannot stand here'),
        ("{{ 99999999999999999999999 }}", "is not a number, or too large"),
        ("{{ " + "(" * 100 + "1" + ")" * 100 + " }}", "stand inside each other"),
        ("{{ if 1 }}" * 100 + "{{ end }}" * 100, "stand inside each other"),
        ("x" * 300_000, "the template is longer than 262144 characters"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        render(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n{{ upper .Identity.traits.phone }}", "main:2: upper: a text is missing"),
        ("{{ upper 5 }}", "upper: int is no text"),
        ("{{ index .L 9 }}", "index: the index 9 is out of range"),
        ("{{ div 1 0 }}", "div: nothing can be divided by zero"),
        ('{{ eq 1 "1" }}', "eq: int and string cannot be compared"),
        ("{{ .Name.first }}", "string has no field .first"),
        ("{{ range .Name }}{{ end }}", "range cannot go over string"),
        ('{{ fail "no" }}', "fail: no"),
        ('{{ set .M "a" 2 }}', "only a mapping that the template made can be changed"),
        ('{{ fromJson "{" }}', "fromJson: "),
    ],
)
def test_what_cannot_be_rendered_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(RenderError) as caught:
        render(text)
    assert said in str(caught.value)


# -- bounds

GROWING = '{{ $s := "x" }}{{ range 100 }}{{ $s = print $s $s }}{{ end }}'
DEEP = '{{ $s := list "x" }}{{ range 45 }}{{ $s = list $s $s }}{{ end }}'


@pytest.mark.parametrize("is_html", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}',
        "".join(f'{{{{ define "t{n}" }}}}{{{{ template "t{n + 1}" }}}}{{{{ end }}}}' for n in range(400))
        + '{{ define "t400" }}{{ end }}{{ template "t0" }}',
        "{{ range 100000000 }}{{ end }}",
        "{{ range 10000 }}{{ range 10000 }}x{{ end }}{{ end }}",
        '{{ repeat 1000000000 "x" }}',
        '{{ indent 1000000000 "x" }}',
        '{{ nindent 200000 "a\\nb" }}',
        '{{ printf "%1000000000d" 1 }}',
        '{{ printf "%.1000000000f" 1.0 }}',
        '{{ replace "" (repeat 1000 "a") (repeat 200000 "b") }}',
        "{{ until 1000000000 }}",
        GROWING,
        DEEP + "{{ $s }}",
        DEEP + "{{ toJson $s }}",
        "{{ $s := list 1 }}{{ range 40 }}{{ $s = concat $s $s }}{{ end }}",
        '{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ $d }}',
        "{{ $s := list }}{{ range 9000 }}{{ $s = list $s }}{{ end }}{{ toJson $s }}",
        '{{ $s := repeat 200000 "a" }}{{ range 100000 }}{{ $x := upper $s }}{{ end }}',
        '{{ $l := until 9999 }}{{ range 100000 }}{{ $x := has "a" $l }}{{ end }}',
        '{{ fromJson (repeat 100000 "[") }}',
        "<p>" * 10 + "{{ range 20000 }}{{ $.Evil }}{{ end }}",
    ],
)
def test_a_slip_of_the_hand_holds_up_nobody(text: str, is_html: bool) -> None:
    began = time.monotonic()

    with pytest.raises((RenderError, ParseError)):
        render(text, is_html=is_html)

    assert time.monotonic() - began < 5


# -- HTML


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>{{ .Evil }}</p>", "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</p>"),
        ("<p>{{ .Evil | html }}</p>", "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</p>"),
        ('<a href="{{ .URL }}">', '<a href="https://example.org/a%20b?x=1&amp;y=%3c2%3e">'),
        ("<a href={{ .URL }}>", "<a href=https://example.org/a%20b?x&#61;1&amp;y&#61;%3c2%3e>"),
        ('<a href="{{ .JS }}">', '<a href="#ZgotmplZ">'),
        ('<a href=" {{ .JS }}">', '<a href=" #ZgotmplZ">'),
        ("<a xlink:href=\"{{ .JS }}\" data-url='{{ .JS }}'>", "<a xlink:href=\"#ZgotmplZ\" data-url='#ZgotmplZ'>"),
        ('<a href="https://e.org/{{ .Odd }}?q={{ .Odd }}">', '<a href="https://e.org/a%20b%27c%22d?q=a%20b%27c%22d">'),
        ('<a href="/?u={{ urlquery "a&b" }}">', '<a href="/?u=a%26b">'),
        ('<a href="mailto:{{ .Identity.traits.email }}">', '<a href="mailto:ada&#43;x@example.org">'),
        ('<img alt="{{ .Odd }}" title={{ .Odd }} id={{ .Empty }}>', '<img alt="a b&#39;c&#34;d" title=a&#32;b&#39;c&#34;d id=ZgotmplZ>'),
        ('<p style="color: {{ .Name }}; width: {{ .N }}px">', '<p style="color: Ada; width: 5px">'),
        ('<p style="color: {{ .Evil }}">', '<p style="color: ZgotmplZ">'),
        ("<style>p { color: {{ .Evil }} }</style>", "<style>p { color: ZgotmplZ }</style>"),
        (
            "<script>f({{ .Evil }}, {{ .N }}, {{ .M }})</script>",
            '<script>f("\\u003cscript\\u003ealert(\'1\')\\u003c/script\\u003e",  5 , {"a":"1","b":"2"})</script>',
        ),
        ("<script>f('{{ .Evil }}')</script>", "<script>f('\\u003Cscript\\u003Ealert(\\u00271\\u0027)\\u003C\\/script\\u003E')</script>"),
        ('<b onclick="f({{ .Odd }})">', '<b onclick="f(&#34;a b&#39;c\\&#34;d&#34;)">'),
        ("<title>{{ .Evil }}</title>", "<title>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</title>"),
        ("a < b <{{ .Name }}", "a &lt; b &lt;Ada"),
        ("<!-- {{ .Evil }} --><b>x</b><!-- c -->", "<b>x</b>"),
        ("<!doctype html><p>", "<!doctype html><p>"),
        ("<input{{ if .Yes }} checked{{ end }}>", "<input checked>"),
        ('<a href="{{ if .Yes }}https://a.b/{{ end }}x">', '<a href="https://a.b/x">'),
        (
            '{{ define "x" }}{{ . }}{{ end }}{{ template "x" .Evil }}<a href="{{ template "x" .JS }}">',
            '&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;<a href="#ZgotmplZ">',
        ),
    ],
)
def test_values_are_escaped_for_where_they_stand(text: str, expected: str) -> None:
    assert render(text, is_html=True) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<a {{ .Name }}>", "an action cannot stand here, in <a> (tag)"),
        ("<h{{ .N }}>", "an action cannot stand here"),
        ('<iframe srcdoc="{{ .Evil }}">', "in <iframe> (attribute srcdoc)"),
        ('<img srcset="{{ .URL }} 1x">', "an action cannot stand here"),
        ('<p style="background: url({{ .URL }})">', "an action cannot stand here"),
        ('<meta http-equiv="refresh" content="0; url={{ .URL }}">', "an action cannot stand here"),
        ('<set attributeName="href" to="{{ .JS }}">', "an action cannot stand here"),
        ("<script>x = 1 / {{ .N }}</script>", "an action cannot stand here"),
        ("<script>`{{ .N }}`</script>", "an action cannot stand here"),
        ('<script type="text/template">{{ .N }}</script>', "an action cannot stand here"),
        ('<script type="{{ .Name }}">', "an action cannot stand here"),
        ("<noscript>{{ .Name }}</noscript>", "an action cannot stand here"),
        ('\n{{ if .Yes }}<a href="{{ end }}x', "main:2: the branches of if end in different places"),
        ('{{ if .Yes }}<a href="{{ else }}<b title="{{ end }}x">', "end in different places"),
        ('{{ range .L }}{{ if . }}<a href="{{ break }}{{ end }}{{ end }}">', "end in different places"),
        ('<p class="x', "the template ends inside of <p> (attribute class)"),
        ('<a href="/{{ if .Yes }}?{{ end }}{{ .Name }}">', "an action cannot stand here"),
        ("<a title=x{{ if .Yes }}'{{ end }}>", "needs quotes"),
        ("<s{{ if .Yes }}cript{{ end }}>", "the name of an element is put together"),
        ("<a<script>{{ .Name }}</script>", "<a is not closed"),
        ('<a hr{{ if .Yes }}ef{{ end }}="{{ .JS }}">', "an attribute"),
    ],
)
def test_what_nothing_makes_safe_is_refused(text: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        render(text, is_html=True)
    assert said in str(caught.value)
