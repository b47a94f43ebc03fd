package gateway

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// credentials are the bodies of the calls that prove who someone is.
type credentials struct {
	Email       string           `json:"email"`
	Purpose     contract.Purpose `json:"purpose"`
	Code        string           `json:"code"`
	Account     string           `json:"account"`
	Password    string           `json:"password"`
	Nickname    string           `json:"nickname"`
	DeviceName  string           `json:"device_name"`
	OldPassword string           `json:"old_password"`
	NewPassword string           `json:"new_password"`
}

// ask calls a service within the request's time.
func ask[Req, Rep any](ctx context.Context, a *api, m contract.Method[Req, Rep], req Req, opts ...rpc.CallOption) (Rep, error) {
	return rpc.Call(ctx, a.calls, m, req, opts...)
}

// done answers a call whose reply says nothing.
func done(_ contract.Empty, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return empty204(), nil
}

func (a *api) sendCode(r *request) (answer, error) {
	var body credentials
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	_, err := ask(r.ctx, a, contract.SendCode, contract.SendCodeRequest{
		Email: body.Email, Purpose: body.Purpose, Language: languageOf(r.header("Accept-Language")), Address: r.address,
	})
	if err != nil {
		return answer{}, err
	}
	return accepted202(), nil
}

func (a *api) register(r *request) (answer, error) {
	var body credentials
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	grant, err := ask(r.ctx, a, contract.Register, contract.RegisterRequest{
		Email: body.Email, Code: body.Code, Account: body.Account, Password: body.Password,
		Nickname: body.Nickname, DeviceName: body.DeviceName, Address: r.address,
	})
	if err != nil {
		return answer{}, err
	}
	return created201(grant), nil
}

func (a *api) login(r *request) (answer, error) {
	var body credentials
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	grant, err := ask(r.ctx, a, contract.Login, contract.LoginRequest{
		Account: body.Account, Password: body.Password, DeviceName: body.DeviceName, Address: r.address,
	})
	if err != nil {
		return answer{}, err
	}
	return ok200(grant), nil
}

// refreshBody is what a client sends to refresh its tokens.
type refreshBody struct {
	RefreshToken string `json:"refresh_token"`
}

func (a *api) refresh(r *request) (answer, error) {
	asked := contract.NewTime(a.auth.keys.time.Now())
	var body refreshBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	grant, err := ask(r.ctx, a, contract.Refresh, contract.RefreshRequest{RefreshToken: body.RefreshToken, AskedAt: asked})
	if err != nil {
		return answer{}, err
	}
	return ok200(grant), nil
}

func (a *api) resetPassword(r *request) (answer, error) {
	var body credentials
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	return done(ask(r.ctx, a, contract.ResetPassword, contract.ResetPasswordRequest{
		Email: body.Email, Code: body.Code, Password: body.Password, Address: r.address,
	}))
}

func (a *api) changePassword(r *request) (answer, error) {
	var body credentials
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	return done(ask(r.ctx, a, contract.ChangePassword, contract.ChangePasswordRequest{
		Caller: r.caller, OldPassword: body.OldPassword, NewPassword: body.NewPassword,
	}))
}
