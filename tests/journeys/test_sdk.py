"""The official SDK drives us, and its strict models load our answers."""

from __future__ import annotations

from typing import Any

import ory_client
import pytest
from ory_client.api.frontend_api import FrontendApi
from ory_client.api.identity_api import IdentityApi
from ory_client.exceptions import ApiException

from tests.clients import PASSWORD, new_address
from tests.server import Server


@pytest.fixture
def frontend(server: Server) -> FrontendApi:
    return FrontendApi(ory_client.ApiClient(ory_client.Configuration(host=server.public)))


def register(frontend: FrontendApi, address: str) -> Any:
    flow = frontend.create_native_registration_flow()
    body = ory_client.UpdateRegistrationFlowWithPasswordMethod(method="password", password=PASSWORD, traits={"email": address})
    return frontend.update_registration_flow(str(str(flow.id)), ory_client.UpdateRegistrationFlowBody(body))


def test_it_is_driven_from_registration_to_logout(frontend: FrontendApi) -> None:
    address = new_address()
    registered = register(frontend, address)
    assert registered.session_token
    assert frontend.to_session(x_session_token=registered.session_token).identity.traits == {"email": address}

    flow = frontend.create_native_login_flow()
    body = ory_client.UpdateLoginFlowWithPasswordMethod(method="password", identifier=address, password=PASSWORD)
    signed_in = frontend.update_login_flow(str(str(flow.id)), ory_client.UpdateLoginFlowBody(body))
    token = signed_in.session_token

    settings = frontend.create_native_settings_flow(x_session_token=token)
    profile = ory_client.UpdateSettingsFlowWithProfileMethod(method="profile", traits={"email": address, "name": {"first": "Ada"}})
    saved = frontend.update_settings_flow(str(str(settings.id)), ory_client.UpdateSettingsFlowBody(profile), x_session_token=token)
    assert saved.state == "success"

    assert len(frontend.list_my_sessions(x_session_token=token)) == 1
    assert frontend.disable_my_other_sessions(x_session_token=token).count == 1
    frontend.perform_native_logout(ory_client.PerformNativeLogoutBody(session_token=token))
    with pytest.raises(ApiException) as refused:
        frontend.to_session(x_session_token=token)
    assert refused.value.status == 401


def test_its_models_load_refusals(frontend: FrontendApi) -> None:
    flow = frontend.create_native_login_flow()
    body = ory_client.UpdateLoginFlowWithPasswordMethod(method="password", identifier=new_address(), password=PASSWORD)

    with pytest.raises(ApiException) as refused:
        frontend.update_login_flow(str(str(flow.id)), ory_client.UpdateLoginFlowBody(body))

    shown = ory_client.LoginFlow.from_json(refused.value.body)
    assert shown is not None
    assert [message.id for message in shown.ui.messages] == [4000006]
    with pytest.raises(ApiException) as unknown:
        frontend.get_login_flow("00000000-0000-4000-8000-000000000000")
    assert ory_client.ErrorGeneric.from_json(unknown.value.body) is not None


def test_operators_use_it_too(server: Server) -> None:
    api = IdentityApi(ory_client.ApiClient(ory_client.Configuration(host=server.admin)))
    address = new_address()

    made = api.create_identity(ory_client.CreateIdentityBody(schema_id="default", traits={"email": address}))

    assert api.get_identity(str(made.id)).traits == {"email": address}
    assert [one.id for one in api.list_identities(credentials_identifier=address)] == [made.id]
    patched = api.patch_identity(str(str(made.id)), [ory_client.JsonPatch(op="replace", path="/state", value="inactive")])
    assert patched.state == "inactive"
    api.delete_identity(str(made.id))
    with pytest.raises(ApiException) as gone:
        api.get_identity(str(made.id))
    assert gone.value.status == 404
