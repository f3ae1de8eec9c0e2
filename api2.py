import json,time
exec(open('/work/tmp/newcomer/api.py').read().split('from openai')[0])
from openai import OpenAI
client = OpenAI(base_url=f"{URL}/v1", api_key=TOKEN)
def t(f):
    s=time.time()
    try: print(f(), round(time.time()-s,1))
    except Exception as e: print(type(e).__name__, e)
M=[{"role":"user","content":"Is lying ever right?"}]
t(lambda: client.chat.completions.create(model='duty',messages=M,max_tokens=30).choices[0].message.content)
t(lambda: client.chat.completions.create(model='duty',messages=M,max_tokens=60,response_format={"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","properties":{"answer":{"type":"string","maxLength":30},"sure":{"type":"number"}},"required":["answer","sure"],"additionalProperties":False}}}).choices[0].message.content)
t(lambda: client.embeddings.create(model='duty',input='Hello'))
t(lambda: client.completions.create(model='small',prompt='The sky is',max_tokens=5).choices[0].text)
t(lambda: client.completions.create(model='smollm2-135m-instruct',prompt='The sky is',max_tokens=0,echo=True,logprobs=1).choices[0].logprobs.token_logprobs)
t(lambda: client.chat.completions.create(model='burke',messages=M,max_tokens=40).choices[0].message.content)
