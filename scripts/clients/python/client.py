"""Uses whisper-server through OpenAI's client for Python.

usage: client.py OPEN GUARDED CLIPS

OPEN and GUARDED are base URLs. The second server wants the key "sesame", hears one request at a time, lets none wait and gives
up on a request after 8 s. CLIPS is the directory of clips. Each test prints a line as go test does.
"""

import io
import json
import pathlib
import sys
import time
import traceback
import urllib.request
import wave

import openai
from openapi_spec_validator import OpenAPIV31SpecValidator

OPEN, GUARDED, CLIPS = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
CLIP = CLIPS / "austen-0930.wav"
WORDS = "he might even have been made amiable himself"

client = openai.OpenAI(base_url=OPEN, api_key="none is wanted", timeout=60)


def plain(text):
    kept = "".join(c if c.isalpha() else " " for c in text.lower())
    return " ".join(kept.split())


def transcribe(c=client, file=CLIP, **options):
    return c.audio.transcriptions.create(file=file, model="whisper-1", **options)


def fails(kind, status, call, **body):
    try:
        got = call()
    except kind as e:
        assert type(e) is kind or status == 415, f"{type(e)}, not {kind}"
        assert e.status_code == status, f"{e.status_code}, not {status}"
        for key, want in body.items():
            assert getattr(e, key) == want, f"{key} is {getattr(e, key)!r}, not {want!r}: {e}"
        return e
    raise AssertionError(f"an answer, not {kind.__name__}: {got}")


def long_clip(minutes):
    """All clips, again and again, as a file."""
    parts = []
    for clip in sorted(CLIPS.glob("*.wav")):
        with wave.open(str(clip)) as w:
            parts.append(w.readframes(w.getnframes()))
    sound = b"".join(parts)
    out = io.BytesIO()
    with wave.open(out, "wb") as w:
        w.setparams((1, 2, 16000, 0, "NONE", ""))
        w.writeframes(sound * (minutes * 60 * 32000 // len(sound)))
    return "long.wav", out.getvalue()


def test_json():
    r = transcribe()
    assert plain(r.text) == WORDS and r.text == r.text.strip(), r.text
    assert (r.usage.type, r.usage.seconds) == ("duration", 4), r.usage
    assert r._request_id, "there is no X-Request-Id"


def test_text():
    r = transcribe(response_format="text")
    assert isinstance(r, str) and plain(r) == WORDS, r


def test_srt():
    r = transcribe(response_format="srt")
    assert r.startswith("1\n00:00:0") and " --> 00:00:0" in r and plain(r) == WORDS, r


def test_vtt():
    r = transcribe(response_format="vtt")
    assert r.startswith("WEBVTT\n\n00:00:0") and plain(r) == "webvtt " + WORDS, r


def test_verbose_json():
    r = transcribe(response_format="verbose_json")
    assert plain(r.text) == WORDS and r.language == "english" and 3.2 < float(r.duration) < 3.4, r
    assert r.words is None and r.segments[0].start <= r.segments[0].end <= 3.4 and r.segments[0].tokens, r


def test_words_and_segments():
    r = transcribe(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert plain(" ".join(w.word for w in r.words)) == WORDS, r.words
    times = [t for w in r.words for t in (w.start, w.end)]
    assert times == sorted(times) and 0 <= times[0] and times[-1] <= 3.4, times
    assert plain("".join(s.text for s in r.segments)) == WORDS, r.segments
    r = transcribe(response_format="verbose_json", timestamp_granularities=["word"])
    assert r.words and r.segments is None, r


def test_stream():
    events = list(transcribe(stream=True))
    assert [e.type for e in events] == ["transcript.text.delta"] * (len(events) - 1) + ["transcript.text.done"], events
    assert "".join(e.delta for e in events[:-1]).strip() == events[-1].text, events
    assert plain(events[-1].text) == WORDS and events[-1].usage.seconds == 4, events


def test_options():
    ours = {"beam_size": 5, "max_len": 12, "split_on_word": True}
    r = transcribe(language="en", prompt="A novel.", temperature=0, response_format="verbose_json", extra_body=ours)
    assert len(r.segments) > 1 and plain(r.text) == WORDS, r


def test_translation_of_english_only():
    call = lambda: client.audio.translations.create(file=CLIP, model="whisper-1")
    e = fails(openai.BadRequestError, 400, call, param="translate", type="invalid_request_error")
    assert "cannot translate" in e.message, e


def test_models():
    models = client.models.list().data
    assert len(models) == 1 and models[0].owned_by == "whisperfile", models
    m = client.models.retrieve(models[0].id)
    assert m == models[0] and m.languages == ["en"] and m.translate is False and m.created > 0, m
    assert client.models.retrieve("whisper-1").id == "whisper-1"
    assert plain(client.audio.transcriptions.create(file=CLIP, model=m.id).text) == WORDS


def test_not_found():
    fails(openai.NotFoundError, 404, lambda: client.models.retrieve("none"), param="model", code="model_not_found")
    call = lambda: client.audio.transcriptions.create(file=CLIP, model="none")
    fails(openai.NotFoundError, 404, call, param="model", code="model_not_found")
    fails(openai.NotFoundError, 404, lambda: client.files.list())


def test_bad_requests():
    fails(openai.BadRequestError, 400, lambda: transcribe(temperature=7), param="temperature")
    fails(openai.BadRequestError, 400, lambda: transcribe(language="zzz"), param="language")
    fails(openai.BadRequestError, 400, lambda: transcribe(response_format="diarized_json"), param="response_format")
    fails(openai.BadRequestError, 400, lambda: transcribe(language="de"), param="language")
    fails(openai.APIStatusError, 415, lambda: transcribe(file=("a.txt", b"This is no sound.")), param="file")


def test_timeout():
    hasty = client.with_options(timeout=0.2, max_retries=0)
    try:
        transcribe(hasty, file=long_clip(2))
    except openai.APITimeoutError:
        return
    raise AssertionError("no timeout")


def test_keys():
    stranger = openai.OpenAI(base_url=GUARDED, api_key="wrong", max_retries=0)
    fails(openai.AuthenticationError, 401, lambda: transcribe(stranger), code="invalid_api_key")
    fails(openai.AuthenticationError, 401, lambda: stranger.models.list(), code="invalid_api_key")


def test_busy():
    friend = openai.OpenAI(base_url=GUARDED, api_key="sesame", timeout=60)
    with transcribe(friend, file=long_clip(20), stream=True) as stream:
        assert next(stream).type == "transcript.text.delta"
        call = lambda: transcribe(friend.with_options(max_retries=0))
        e = fails(openai.RateLimitError, 429, call, code="queue_full", type="rate_limit_error")
        assert 1 <= int(e.response.headers["Retry-After"]) <= 60, e.response.headers
        try:
            for event in stream:
                assert event.type == "transcript.text.delta", event
            raise AssertionError("no error in the stream")
        except openai.APIError as e:
            assert "time limit" in e.message, e
    assert plain(transcribe(friend).text) == WORDS  # again if need be, when the server says


def test_description():
    address = OPEN.removesuffix("/v1") + "/openapi.json"
    with urllib.request.urlopen(address, timeout=10) as r:
        OpenAPIV31SpecValidator(json.load(r)).validate()


def main():
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        start = time.monotonic()
        try:
            test()
            verdict = "PASS"
        except Exception:
            traceback.print_exc(file=sys.stdout)
            verdict, failed = "FAIL", failed + 1
        print(f"--- {verdict}: python/{name.removeprefix('test_')} ({time.monotonic() - start:.2f}s)", flush=True)
    sys.exit(failed > 0)


main()
